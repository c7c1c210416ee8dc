import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';
import sliceAnsi from 'slice-ansi';
import { answersInJson } from './print.js';
import { localTime, visibleLength, withoutControls, wordsOf } from './terminal.js';

const plainEverySeconds = 10;

/**
 * Shows lines that change. On a terminal they are rewritten in place; elsewhere a line with its date is printed when it says
 * something new (another state), or some seconds after the last one of its kind (numbers that grow). Where a program reads, that goes to standard error.
 */
export class LiveDisplay {
  private readonly update: ReturnType<typeof createLogUpdate>;
  private shown = 0;
  private readonly printed = new Map<string, { text: string; at: number }>();

  constructor(private readonly stream: NodeJS.WriteStream = answersInJson() ? process.stderr : process.stdout) {
    // A hidden cursor would need handlers of signals of its own, beside those of the commands.
    this.update = createLogUpdate(stream, { showCursor: true });
  }

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
    if (this.stream.isTTY) this.update.clear();
    this.stream.write(`${withoutControls(text)}\n`);
  }

  /** Leaves what is shown where it is; what comes goes below. */
  finish(): void {
    this.update.done();
  }

  private rewrite(lines: readonly string[]): void {
    const width = Math.max(20, this.stream.columns || 80);
    // log-update leaves the last line where it was, where lines before it went.
    if (lines.length < this.shown) this.update.clear();
    this.shown = lines.length;
    this.update(lines.map((line) => clip(withoutControls(line), width - 1)).join('\n'));
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
      this.stream.write(`${localTime(new Date(now))}  ${text}\n`);
      this.printed.set(key, { text: words, at: now });
    }
  }
}

/** Cuts a line to so many columns, after a whole field where it has several, else after a whole word; its colours stay. */
function clip(line: string, width: number): string {
  if (visibleLength(line) <= width) return line;
  const text = stripVTControlCharacters(line);
  const ends = [wholeFields(text, width - 2), wholeWords(text, width - 2)];
  const end = ends.map(visibleLength).find((columns) => columns > width / 2);
  return end === undefined ? `${sliceAnsi(line, 0, width - 1)}…` : `${sliceAnsi(line, 0, end)} …`;
}

/** As much of a text's beginning as so many columns take, up to where two spaces follow. */
function wholeFields(text: string, width: number): string {
  let end = text.lastIndexOf('  ', width);
  while (end > 0 && visibleLength(text.slice(0, end)) > width) end = text.lastIndexOf('  ', end - 1);
  return text.slice(0, Math.max(0, end)).trimEnd();
}

/** The same up to the end of a word. */
function wholeWords(text: string, width: number): string {
  let whole = '';
  for (const word of wordsOf(text)) {
    if (visibleLength(whole + word) > width) break;
    whole += word;
  }
  return whole;
}
