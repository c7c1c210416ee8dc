import { stripVTControlCharacters } from 'node:util';
import { withoutControls } from './terminal.js';

const plainEverySeconds = 10;

/**
 * Shows lines that change. On a terminal they are rewritten in place; elsewhere a line is printed when it says something
 * new at once (another state), or some seconds after the last (numbers that grow).
 */
export class LiveDisplay {
  private shown = 0;
  private readonly printed = new Map<string, { text: string; at: number }>();

  constructor(private readonly stream: NodeJS.WriteStream = process.stdout) {}

  /**
   * @param lines what there is to show now.
   * @param keyOf what a line is about: its text up to where it changes all the time.
   */
  show(lines: readonly string[], keyOf: (line: string) => string = (line) => line): void {
    if (this.stream.isTTY) this.rewrite(lines);
    else this.append(lines, keyOf);
  }

  /** A line that stays, above what changes. */
  print(text: string): void {
    const up = this.stream.isTTY && this.shown > 0 ? `\u001b[${this.shown}A\r\u001b[J` : '';
    this.stream.write(`${up}${withoutControls(text)}\n`);
    this.shown = 0;
  }

  /** Leaves what is shown where it is; what comes goes below. */
  finish(): void {
    this.shown = 0;
  }

  private rewrite(lines: readonly string[]): void {
    const width = Math.max(20, this.stream.columns || 80);
    const clipped = lines.map((line) => clip(withoutControls(line), width - 1));
    const up = this.shown > 0 ? `\u001b[${this.shown}A` : '';
    this.stream.write(`${up}\r\u001b[J${clipped.map((line) => `${line}\n`).join('')}`);
    this.shown = clipped.length;
  }

  private append(lines: readonly string[], keyOf: (line: string) => string): void {
    const now = Date.now();
    for (const line of lines) {
      const text = stripVTControlCharacters(withoutControls(line)).trimEnd();
      const key = keyOf(text);
      const last = this.printed.get(key);
      // Columns move when others grow: that is nothing new.
      const words = text.replace(/\s+/g, ' ');
      const due = last === undefined || (last.text !== words && now - last.at > plainEverySeconds * 1000);
      if (text === '' || !due) continue;
      this.stream.write(`${text}\n`);
      this.printed.set(key, { text: words, at: now });
    }
  }
}

/** Cuts a line to so many columns; its colours stay. */
function clip(line: string, width: number): string {
  if (stripVTControlCharacters(line).length <= width) return line;
  let visible = 0;
  let cut = '';
  // Colour codes take no column.
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) cut += part;
    else {
      cut += part.slice(0, Math.max(0, width - 1 - visible));
      visible += part.length;
    }
  }
  return `${cut}…\u001b[0m`;
}
