import { FormatError, quoted } from '../formats/formatError.js';

/** A map of a calibration file, and how to name what is in it. */
export interface Fields {
  readonly file: string;
  /** Of people: `cameras.left`, empty for the whole file. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What a number list may be told to be. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: readonly number[];
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function problem(fields: Fields, name: string, expected: string, found: string): FormatError {
  const where = [fields.path, name].filter((part) => part !== '').join('.');
  return new FormatError({ file: fields.file, where, expected, found });
}

/**
 * The field that goes by one of several names; null if there is none.
 * @throws FormatError if there are two
 */
export function fieldOf(fields: Fields, names: readonly string[]): { name: string; value: unknown } | null {
  const there = names.filter((name) => Object.hasOwn(fields.values, name) && fields.values[name] !== null);
  if (there.length > 1) throw problem(fields, '', `one of ${names.join(', ')}`, there.join(' and '));
  const [name] = there;
  return name === undefined ? null : { name, value: fields.values[name] };
}

/** @throws FormatError if there is no such field */
export function neededField(fields: Fields, names: readonly string[], what: string): { name: string; value: unknown } {
  const found = fieldOf(fields, names);
  if (found) return found;
  const keys = Object.keys(fields.values).slice(0, 12).map(quoted).join(', ');
  throw problem(fields, '', `${what} (${names.join(', ')})`, keys === '' ? 'nothing' : `only ${keys}`);
}

/** `{rows, cols, data}` as OpenCV writes it, rows of numbers, or numbers (one row). @throws FormatError */
export function matrixOf(fields: Fields, { name, value }: { name: string; value: unknown }, what: string): Matrix {
  if (isMap(value) && Object.hasOwn(value, 'data')) {
    const { rows, cols, data } = value;
    const numbers = numbersOf(fields, `${name}.data`, data, what);
    if (typeof rows !== 'number' || typeof cols !== 'number' || rows * cols !== numbers.length) {
      const size = `${quoted(String(rows))} × ${quoted(String(cols))}`;
      throw problem(fields, name, 'rows × cols numbers in data', `${numbers.length} for ${size}`);
    }
    return { rows, columns: cols, data: numbers };
  }
  if (!Array.isArray(value)) throw problem(fields, name, what, describe(value));
  const list = value as readonly unknown[];
  if (!list.some(Array.isArray)) return { rows: 1, columns: list.length, data: numbersOf(fields, name, list, what) };
  const rows = list.map((row, i) => numbersOf(fields, `${name}[${i}]`, row, what));
  const columns = rows[0]!.length;
  const other = rows.findIndex((row) => row.length !== columns);
  if (other >= 0)
    throw problem(fields, `${name}[${other}]`, `${columns} numbers, as in the first row`, `${rows[other]!.length}`);
  return { rows: rows.length, columns, data: rows.flat() };
}

function numbersOf(fields: Fields, name: string, value: unknown, what: string): number[] {
  if (!Array.isArray(value)) throw problem(fields, name, what, describe(value));
  if (value.length > 64) throw problem(fields, name, what, `${value.length} entries`);
  return (value as readonly unknown[]).map((entry, i) => {
    if (typeof entry === 'number' && Number.isFinite(entry)) return entry;
    throw problem(fields, `${name}[${i}]`, 'a finite number', describe(entry));
  });
}

/** A word of a set, with synonyms. @throws FormatError */
export function wordOf<Word extends string>(
  fields: Fields,
  { name, value }: { name: string; value: unknown },
  words: Readonly<Record<string, Word>>,
): Word {
  const key = typeof value === 'string' ? value.trim().toLowerCase().replaceAll('_', '-') : '';
  const word = Object.hasOwn(words, key) ? words[key] : undefined;
  if (word === undefined) throw problem(fields, name, [...new Set(Object.values(words))].join(' or '), describe(value));
  return word;
}

export function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isMap(value)) return `a map with ${Object.keys(value).slice(0, 6).map(quoted).join(', ') || 'nothing'}`;
  return typeof value === 'string' ? quoted(value) : String(value);
}
