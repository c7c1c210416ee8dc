import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { isMerelyInformation, readableLogLine } from '../../text/logLine.js';

const keptLines = 30;
const longestLine = 500;

/**
 * What a child process prints: appended to a file of bounded size (one predecessor is kept as `NAME.1`), its last lines
 * remembered for error messages.
 */
export class BoundedLog {
  readonly #lastLines: string[] = [];
  readonly #decoder = new StringDecoder('utf8');
  #unfinished = '';
  #closed = false;
  #descriptor: number;
  #size: number;

  /**
   * @param limit bytes, of the file and of its predecessor each.
   * @param context what each line of the supervisor's own says beside its text.
   * @param onChunk is given all that is appended, too.
   */
  constructor(
    readonly path: string,
    private readonly limit = 10e6,
    private readonly context: Readonly<Record<string, unknown>> = {},
    private readonly onChunk: (chunk: Buffer) => void = () => undefined,
  ) {
    makeFolderSync(dirname(path));
    this.#descriptor = openSync(path, 'a');
    this.#size = fstatSync(this.#descriptor).size;
  }

  write(chunk: Buffer): void {
    this.append(chunk);
    this.remember(this.#decoder.write(chunk));
  }

  /** A line of the supervisor's own: in the file, not among the process's last lines. */
  note(text: string, level: 'info' | 'warn' = 'info', fields: Readonly<Record<string, string>> = {}): void {
    const line = { level, time: new Date().toISOString(), ...this.context, ...fields, message: text };
    this.append(Buffer.from(`${JSON.stringify(line)}\n`));
  }

  /**
   * The last lines, oldest first, each cut to a readable length.
   *
   * @param which `troubles`: without what our own log only informs of, such as progress. Whose lines they are is known.
   */
  lastLines(count = 10, which: 'all' | 'troubles' = 'all'): string[] {
    const lines = this.#unfinished === '' ? this.#lastLines : [...this.#lastLines, this.#unfinished];
    const asked = which === 'all' ? lines : lines.filter((line) => !isMerelyInformation(line));
    const read = asked.slice(-count).map((line) => readableLogLine(line, 'in title'));
    return read.map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  private append(chunk: Buffer): void {
    // The process may have left one behind that still prints; the descriptor may be another file's by then.
    if (this.#closed) return;
    this.onChunk(chunk);
    // A full disk must not end a training that can go on without its log.
    try {
      if (this.#size > 0 && this.#size + chunk.length > this.limit) this.rotate();
      this.#size += chunk.length;
      writeSync(this.#descriptor, chunk);
    } catch {
      // See above.
    }
  }

  private rotate(): void {
    renameSync(this.path, `${this.path}.1`);
    const descriptor = openSync(this.path, 'a');
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#size = 0;
  }

  private remember(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    // A process that never ends its line must not fill the memory.
    this.#unfinished = (lines.pop() ?? '').slice(-10 * longestLine);
    this.#lastLines.push(...lines.filter((line) => line.trim() !== ''));
    this.#lastLines.splice(0, this.#lastLines.length - keptLines);
  }
}
