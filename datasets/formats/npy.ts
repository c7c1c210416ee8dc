import { FormatError, quoted } from './formatError.js';

/** The typed arrays that NumPy's simple types become. Half floats widen to Float32Array, bool to Uint8Array. */
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
}

const magic = Buffer.from('\x93NUMPY', 'latin1');
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
 * @param bytes - the whole file; it is copied from, not kept
 * @param file - its path, for error messages
 * @throws FormatError naming file and byte; before anything of the declared size is allocated
 */
export function parseNpy(bytes: Uint8Array, file: string): NpyArray {
  const header = readHeader(bytes, file);
  const type = arrayTypes[header.type];
  if (!type) {
    throw new FormatError({
      file,
      where: 'header',
      expected: `numbers (one of ${Object.keys(arrayTypes).join(', ')})`,
      found: quoted(header.descriptor),
    });
  }
  const count = header.shape.reduce((product, side) => product * side, 1);
  const available = bytes.length - header.dataOffset;
  if (!Number.isSafeInteger(count) || count * type.BYTES_PER_ELEMENT !== available) {
    throw new FormatError({
      file,
      where: `byte ${header.dataOffset}`,
      expected: `${count * type.BYTES_PER_ELEMENT} bytes of data for shape (${header.shape.join(', ')})`,
      found: `${available} bytes`,
    });
  }
  const stored = new type(count);
  const view = Buffer.from(stored.buffer);
  view.set(bytes.subarray(header.dataOffset));
  if (header.bigEndian) swapBytes(view, type.BYTES_PER_ELEMENT);
  const data = header.type === 'f2' ? widenHalfFloats(stored as Uint16Array) : stored;
  return { shape: header.shape, data: header.fortranOrder ? toCOrder(data, header.shape) : data };
}

/** Writes an array as a version 1.0 `.npy` file, little-endian, C order. */
export function formatNpy(array: NpyArray): Buffer {
  const { data, shape } = array;
  const count = shape.reduce((product, side) => product * side, 1);
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
 * @throws FormatError where `finite` is asked for and a value is not
 */
export function asFloat32(array: NpyArray, file: string, options: { finite?: boolean } = {}): Float32Array {
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

interface Header {
  descriptor: string;
  /** Kind and size without the byte order: `f4`. */
  type: string;
  bigEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
  dataOffset: number;
}

function readHeader(bytes: Uint8Array, file: string): Header {
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
  const text = buffer.toString('latin1', start, Math.min(dataOffset, start + 65_536));
  const descriptor = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descriptor === undefined || order === undefined || shape === undefined) {
    throw new FormatError({
      file,
      where: 'header',
      expected: 'a dictionary of descr (numbers), fortran_order and shape',
      found: quoted(text.trim()),
    });
  }
  return {
    descriptor,
    type: descriptor.replace(/^[<>|=]/, ''),
    bigEndian: descriptor.startsWith('>'),
    fortranOrder: order === 'True',
    shape: shape
      .split(',')
      .map((side) => side.replace('L', '').trim())
      .filter((side) => side !== '')
      .map(Number),
    dataOffset,
  };
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
