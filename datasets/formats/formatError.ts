import { printable } from '../../text/printable.js';

const longestMessage = 2000;

/** What a file should have held at a place, and what stood there. */
export interface FormatProblem {
  /** Path or object key of the file, as the user would recognise it. */
  readonly file: string;
  /** Where in the file: `line 12`, `byte 4096`, `entry 3`. Empty for the file as a whole. */
  readonly where?: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Thrown when a file cannot be what its name says: cut short, of another format, with impossible counts or values.
 * The data are at fault, so trying again does not help.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly file: string;
  readonly where: string;
  readonly expected: string;
  readonly found: string;

  constructor(problem: FormatProblem) {
    const where = problem.where ?? '';
    const place = `${problem.file}${where ? `, ${where}` : ''}`;
    super(printable(`${place}: expected ${problem.expected}, found ${problem.found}`, longestMessage));
    this.file = problem.file;
    this.where = where;
    this.expected = problem.expected;
    this.found = problem.found;
  }
}

/** Quotes a piece of a file for an error message: one line, printable, at most 60 characters. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return printable(JSON.stringify(short));
}

/** The first names of a list for an error message, quoted: a hostile file may hold a hundred thousand. */
export function listed(names: readonly string[], most = 8): string {
  if (names.length === 0) return 'none';
  const rest = names.length > most ? ` and ${names.length - most} more` : '';
  return names.slice(0, most).map(quoted).join(', ') + rest;
}

/** What a value of JSON or of a pickle is, for an error message: short however large or deep the value is. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dictionary of ${value.size}`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'bigint' ? 'a large whole number' : `something of type ${typeof value}`;
}

/** Removes the byte order mark that some Windows editors put in front of a text file. */
export function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Splits text into lines at `\n`, `\r\n` and `\r`, without the byte order mark. */
export function linesOf(text: string): string[] {
  return withoutByteOrderMark(text).split(/\r\n|\n|\r/);
}
