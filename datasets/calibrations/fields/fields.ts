import { FormatError, quoted } from '../../formats/formatError.js';

/** A map of a calibration file, and how to name what is in it. */
export interface Fields {
  readonly file: string;
  /** Human-readable: `cameras.left`, empty for the whole file. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Names that have been asked for and were there. What is left at the end was not understood. */
  readonly read: Set<string>;
}

export function fieldsOf(file: string, path: string, values: Readonly<Record<string, unknown>>): Fields {
  return { file, path, values, read: new Set() };
}

export interface Field {
  readonly name: string;
  readonly value: unknown;
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
export function fieldOf(fields: Fields, names: readonly string[]): Field | null {
  const there = names.filter((name) => Object.hasOwn(fields.values, name) && fields.values[name] !== null);
  if (there.length > 1) throw problem(fields, '', `one of ${names.join(', ')}`, there.join(' and '));
  const [name] = there;
  if (name === undefined) return null;
  fields.read.add(name);
  return { name, value: fields.values[name] };
}

/** @throws FormatError if there is no such field */
export function neededField(fields: Fields, names: readonly string[], what: string): Field {
  const found = fieldOf(fields, names);
  if (found) return found;
  const keys = Object.keys(fields.values).slice(0, 12).map(quoted).join(', ');
  throw problem(fields, '', `${what} (${names.join(', ')})`, keys === '' ? 'nothing' : `only ${keys}`);
}

/** @throws FormatError if it is none */
export function numberOf(fields: Fields, { name, value }: Field): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw problem(fields, name, 'a finite number', describe(value));
}

/** One of a set of words, with synonyms. @throws FormatError */
export function wordOf<Word extends string>(
  fields: Fields,
  { name, value }: Field,
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
