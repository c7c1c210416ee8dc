import { quoted } from '../../formats/formatError.js';
import { describe, isMap, problem, type Field, type Fields } from './fields.js';

/** Types that a list of numbers may declare. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: readonly number[];
}

/** Entries of a list; a camera has fewer of anything. */
const mostEntries = 64;

/**
 * A matrix as OpenCV writes it (`rows`, `cols`, `dt`, `data`; of several channels, as `CV_64FC3`, each entry is so many
 * columns; with `sizes`, as OpenCV 5 writes NumPy's arrays of one dimension), rows of numbers, or numbers (one row).
 *
 * @throws FormatError
 */
export function matrixOf(fields: Fields, field: Field, what: string): Matrix {
  const { name, value } = field;
  if (isMap(value) && Object.hasOwn(value, 'data')) return opencvMatrix(fields, name, value, what);
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

function opencvMatrix(fields: Fields, name: string, value: Readonly<Record<string, unknown>>, what: string): Matrix {
  const { dt = 'd', data } = value;
  const [rows, cols] = 'sizes' in value ? shapeOf(value['sizes']) : [value['rows'], value['cols']];
  // "d": a double an entry; "3d": three.
  const type = typeof dt === 'string' ? /^([1-9]?)([ucwsifdh])$/.exec(dt) : null;
  if (!type) throw problem(fields, `${name}.dt`, 'the type of an entry, as d, f or 3d', describe(dt));
  const channels = Number(type[1] === '' ? 1 : type[1]);
  const numbers = numbersOf(fields, `${name}.data`, data, what);
  if (typeof rows !== 'number' || typeof cols !== 'number' || rows * cols * channels !== numbers.length) {
    const size = `${quoted(String(rows))} × ${quoted(String(cols))}${channels === 1 ? '' : ` of ${channels} channels`}`;
    throw problem(fields, name, 'rows × cols numbers in data', `${numbers.length} for ${size}`);
  }
  return { rows, columns: cols * channels, data: numbers };
}

/** Rows and columns of so many dimensions: one is a row, of more than two the last ones are columns. */
function shapeOf(sizes: unknown): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(sizes) ? sizes : [];
  if (list.length < 2) return [1, list[0]];
  return [list[0], list.slice(1).reduce<number>((product, size) => product * Number(size), 1)];
}

function numbersOf(fields: Fields, name: string, value: unknown, what: string): number[] {
  if (!Array.isArray(value)) throw problem(fields, name, what, describe(value));
  if (value.length > mostEntries) throw problem(fields, name, what, `${value.length} entries`);
  return (value as readonly unknown[]).map((entry, i) => {
    if (typeof entry === 'number' && Number.isFinite(entry)) return entry;
    throw problem(fields, `${name}[${i}]`, 'a finite number', describe(entry));
  });
}
