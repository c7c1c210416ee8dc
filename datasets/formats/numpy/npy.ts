import { FormatError, quoted } from '../formatError.js';

/** The typed arrays that NumPy's simple types become. Half floats widen to Float32Array, bool to Uint8Array (0 and 1). */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** An array as NumPy stores it, in C order (the last axis runs fastest). */
export interface NpyArray<Data extends NpyData = NpyData> {
  readonly shape: readonly number[];
  readonly data: Data;
  /** Set where the numbers stand for false and true: a mask is no list of indices. */
  readonly isBoolean?: true;
}

const magic = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy's own limits: it refuses more of either. */
const largestHeader = 10_000;
export const mostAxes = 64;
/** `'descr': '<f4'`, `'fortran_order': False`, `'shape': (2, 3L)`; numbers of Python 2 may end in L. */
const dictionaryEntry = /['"](descr|fortran_order|shape)['"]\s*:\s*(['"][^'"]*['"]|True|False|\([\d\s,L]*\))/g;
const arrayTypes: Record<string, { new (length: number): NpyData; BYTES_PER_ELEMENT: number }> = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
  f2: Uint16Array,
};

/**
 * Reads a NumPy array file of numbers, of either byte order and either memory order.
 * @param bytes the whole file; it is copied from, not kept
 * @param file its path, for error messages
 * @throws FormatError naming file and byte; before anything of the declared size is allocated
 */
export function parseNpy(bytes: Uint8Array, file: string): NpyArray {
  const { descriptor, shape, fortranOrder, dataOffset } = readNpyHeader(bytes, file);
  const problem = (expected: string, found: string): FormatError =>
    new FormatError({ file, where: `byte ${dataOffset}`, expected, found });
  return decodeElements(descriptor, shape, fortranOrder, bytes.subarray(dataOffset), problem);
}

/**
 * The elements of an array as NumPy stores them.
 * @param descriptor type and byte order: `<f4`
 * @param bytes copied from, not kept
 * @throws what `problem` makes of types that are no numbers, and of other sizes, before anything of the shape's is allocated
 */
export function decodeElements(
  descriptor: string,
  shape: readonly number[],
  fortranOrder: boolean,
  bytes: Uint8Array,
  problem: (expected: string, found: string) => Error,
): NpyArray {
  const kind = descriptor.replace(/^[<>|=]/, '');
  const type = Object.hasOwn(arrayTypes, kind) ? arrayTypes[kind] : undefined;
  if (!type) throw problem(`numbers (one of ${Object.keys(arrayTypes).join(', ')})`, quoted(descriptor));
  const count = elementCount(shape);
  if (!Number.isSafeInteger(count) || count * type.BYTES_PER_ELEMENT !== bytes.length) {
    const expected = `${count * type.BYTES_PER_ELEMENT} bytes of data for shape (${shape.join(', ')})`;
    throw problem(expected, `${bytes.length} bytes`);
  }
  const stored = new type(count);
  const view = Buffer.from(stored.buffer);
  view.set(bytes);
  if (descriptor.startsWith('>')) swapBytes(view, type.BYTES_PER_ELEMENT);
  if (kind === 'b1') for (let i = 0; i < view.length; i++) view[i] = view[i] === 0 ? 0 : 1;
  const data = kind === 'f2' ? widenHalfFloats(stored as Uint16Array) : stored;
  const ordered = fortranOrder ? toCOrder(data, shape) : data;
  return kind === 'b1' ? { shape, data: ordered, isBoolean: true } : { shape, data: ordered };
}

/** How many elements an array of a shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Writes an array as a version 1.0 `.npy` file, little-endian, C order. */
export function formatNpy(array: NpyArray): Buffer {
  const { data, shape } = array;
  const count = elementCount(shape);
  if (count !== data.length) {
    throw new RangeError(`shape (${shape.join(', ')}) has ${count} elements, the data have ${data.length}`);
  }
  const dictionary = `{'descr': '${descriptorOf(data)}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  // The data start at a multiple of 64 bytes, so that they can be mapped.
  const unpadded = 10 + dictionary.length + 1;
  const padding = (64 - (unpadded % 64)) % 64;
  const header = Buffer.alloc(10);
  magic.copy(header);
  header[6] = 1;
  header.writeUInt16LE(dictionary.length + padding + 1, 8);
  return Buffer.concat([
    header,
    Buffer.from(`${dictionary}${' '.repeat(padding)}\n`, 'latin1'),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/**
 * The array's values as numbers in a `Float32Array`; its own data where they are that already.
 * @throws FormatError for false and true, and where `finite` is asked for and a value is not
 */
export function asFloat32(array: NpyArray, file: string, options: { finite?: boolean } = {}): Float32Array {
  if (array.isBoolean) throw new FormatError({ file, expected: 'numbers', found: 'false and true (bool)' });
  const data =
    array.data instanceof Float32Array ? array.data : Float32Array.from(array.data as ArrayLike<number>, Number);
  if (options.finite) requireFinite(data, file);
  return data;
}

/** A loop: `findIndex` takes four times as long, for each scan that is packed or read. */
function requireFinite(data: Float32Array, file: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new FormatError({ file, where: `element ${i}`, expected: 'a finite number', found: `${data[i]}` });
  }
}

/** What stands before the elements of an array file. */
export interface NpyHeader {
  /** Type and byte order: `<f4`, `|O` for objects. */
  readonly descriptor: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

/** @throws FormatError */
export function readNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || !buffer.subarray(0, 6).equals(magic)) {
    throw new FormatError({
      file,
      where: 'byte 0',
      expected: 'a NumPy file (\\x93NUMPY)',
      found: buffer.length === 0 ? 'an empty file' : quoted(buffer.toString('latin1', 0, 8)),
    });
  }
  const long = buffer[6]! >= 2;
  const start = long ? 12 : 10;
  const dataOffset = start + (long ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  if (dataOffset > buffer.length) {
    throw new FormatError({
      file,
      where: 'byte 8',
      expected: `a header up to byte ${dataOffset}`,
      found: `a file of ${buffer.length} bytes`,
    });
  }
  if (dataOffset - start > largestHeader) {
    const found = `${dataOffset - start}`;
    throw new FormatError({ file, where: 'byte 8', expected: `a header of at most ${largestHeader} bytes`, found });
  }
  return { ...readDictionary(buffer.toString('latin1', start, dataOffset), file), dataOffset };
}

/** The header's dictionary: three entries in any order, and nothing else. */
function readDictionary(text: string, file: string): Omit<NpyHeader, 'dataOffset'> {
  const entries = /^\s*\{([^{}]*)\}\s*$/.exec(text)?.[1];
  const found = new Map<string, string>();
  let rest = entries ?? '';
  for (const entry of rest.matchAll(dictionaryEntry)) {
    if (found.has(entry[1]!)) break;
    found.set(entry[1]!, entry[2]!);
    rest = rest.replace(entry[0], '');
  }
  const descriptor = found.get('descr');
  const order = found.get('fortran_order');
  const shape = found.get('shape');
  const sides = shape === undefined ? null : readShape(shape);
  const isOrder = order === 'True' || order === 'False';
  if (descriptor === undefined || !/^['"]/.test(descriptor) || !isOrder || sides === null || /[^\s,]/.test(rest)) {
    const expected = 'a dictionary of descr (numbers), fortran_order and shape, nothing else';
    throw new FormatError({ file, where: 'header', expected, found: quoted(text.trim()) });
  }
  if (sides.length > mostAxes) {
    throw new FormatError({
      file,
      where: 'header',
      expected: `at most ${mostAxes} axes`,
      found: `${sides.length}`,
    });
  }
  return { descriptor: descriptor.slice(1, -1), fortranOrder: order === 'True', shape: sides };
}

/** `(2, 3)`, `(2,)`, `()`; null for anything else. */
function readShape(text: string): number[] | null {
  const sides = text.slice(1, -1).split(',');
  if (sides.at(-1)!.trim() === '') sides.pop();
  return sides.every((side) => /^\s*\d+L?\s*$/.test(side)) ? sides.map((side) => parseInt(side, 10)) : null;
}

function descriptorOf(data: NpyData): string {
  const kind =
    data instanceof Float32Array || data instanceof Float64Array
      ? 'f'
      : data instanceof Uint8Array ||
          data instanceof Uint16Array ||
          data instanceof Uint32Array ||
          data instanceof BigUint64Array
        ? 'u'
        : 'i';
  return `${data.BYTES_PER_ELEMENT === 1 ? '|' : '<'}${kind}${data.BYTES_PER_ELEMENT}`;
}

function swapBytes(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else if (size === 8) bytes.swap64();
}

function widenHalfFloats(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}

function toCOrder(data: NpyData, shape: readonly number[]): NpyData {
  const result = data.slice();
  const strides: number[] = [];
  shape.reduce((stride, side) => (strides.push(stride), stride * side), 1);
  const index = new Array<number>(shape.length).fill(0);
  for (let target = 0; target < data.length; target++) {
    let source = 0;
    for (let axis = 0; axis < shape.length; axis++) source += index[axis]! * strides[axis]!;
    result[target] = data[source]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}
