import type { NpyArray } from '../numpy/npy.js';
import { NumpyArray } from './numpyVocabulary.js';
import { instancesOf } from './plainVocabulary.js';
import { PickleInstance, PickleTuple, type Vocabulary } from './values.js';

/** Entries of a sparse matrix: rows, columns and values one by one; what is not named is 0. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly row: Uint32Array;
  readonly column: Uint32Array;
  readonly values: NpyArray;
}

/** scipy's classes, whose module has been called `scipy.sparse.csc` and `scipy.sparse._csc`. */
const sparseClass = /^scipy\.sparse\._?(csc|csr|coo)\.\1_(?:matrix|array)$/;

/** Matrices of scipy in compressed columns or rows, or as coordinates. */
export const sparseVocabulary: Vocabulary = instancesOf((name) => sparseClass.test(name));

type Problem = (expected: string, found: string) => Error;

/** @returns null for what is no sparse matrix. @throws what `problem` makes of one whose parts do not fit */
export function sparseMatrixOf(value: unknown, problem: Problem): SparseMatrix | null {
  const kind = value instanceof PickleInstance ? sparseClass.exec(value.name)?.[1] : undefined;
  if (!(value instanceof PickleInstance) || kind === undefined) return null;
  const shape = value.attribute('_shape');
  const [rows, columns] = shape instanceof PickleTuple ? shape.items : [];
  if (!isSide(rows) || !isSide(columns))
    throw problem('a sparse matrix with the shape (rows, columns)', 'another shape');
  const array = (name: string, found = value.attribute(name)): NpyArray => {
    const numbers = found instanceof NumpyArray ? found.numbers(problem) : null;
    if (numbers !== null && numbers.shape.length === 1) return numbers;
    throw problem(`a sparse matrix with a list "${name}" of numbers`, 'none');
  };
  const values = array('data');
  const count = values.data.length;
  const indices = (name: string, limit: number, { data } = array(name)): Uint32Array => {
    if (data.length !== count) throw problem(`as many of "${name}" as of "data": ${count}`, `${data.length}`);
    return Uint32Array.from(data as ArrayLike<number | bigint>, (index) => {
      if (Number(index) >= 0 && Number(index) < limit && Number.isInteger(Number(index))) return Number(index);
      throw problem(`"${name}" below ${limit}`, String(index));
    });
  };
  if (kind === 'coo') {
    // Two arrays by name, or since scipy 1.13 a tuple of them.
    const coordinates = value.attribute('coords');
    const pair =
      coordinates instanceof PickleTuple ? coordinates.items : [value.attribute('row'), value.attribute('col')];
    const [row, column] = [array('row', pair[0]), array('col', pair[1])];
    return { rows, columns, row: indices('row', rows, row), column: indices('col', columns, column), values };
  }
  const [major, minor] = kind === 'csr' ? [rows, columns] : [columns, rows];
  const inner = indices('indices', minor);
  const outer = expandPointers(array('indptr'), major, count, problem);
  return kind === 'csr'
    ? { rows, columns, row: outer, column: inner, values }
    : { rows, columns, row: inner, column: outer, values };
}

/** To each entry its row (column): `indptr` says where the entries of each begin. */
function expandPointers({ data }: NpyArray, major: number, count: number, problem: Problem): Uint32Array {
  const pointers = Array.from(data as ArrayLike<number | bigint>, Number);
  const isRising = pointers.every(
    (pointer, i) => Number.isInteger(pointer) && (i === 0 || pointer >= pointers[i - 1]!),
  );
  if (pointers.length !== major + 1 || pointers[0] !== 0 || pointers.at(-1) !== count || !isRising) {
    throw problem(`"indptr" of ${major + 1} rising numbers from 0 to ${count}`, `${pointers.length} others`);
  }
  const result = new Uint32Array(count);
  for (let i = 0; i < major; i++) result.fill(i, pointers[i], pointers[i + 1]);
  return result;
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
