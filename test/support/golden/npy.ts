import { readFileSync } from 'node:fs';

/** A whole `.npy` file, for tests only; the program's own reader is in datasets/formats. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array;
}

/** Reads a little-endian, C-order `.npy` file; 64-bit and 8-bit integers become float64 and int32. */
export function readNpy(path: string): NpyArray {
  return parseNpy(readFileSync(path), path);
}

export function parseNpy(file: Buffer, name: string): NpyArray {
  if (file.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${name} is no .npy file`);
  const wide = file[6]! >= 2;
  const headerLength = wide ? file.readUInt32LE(8) : file.readUInt16LE(8);
  const start = (wide ? 12 : 10) + headerLength;
  const header = file.toString('latin1', wide ? 12 : 10, start);
  const kind = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter((part) => part.trim() !== '');
  if (kind === undefined || header.includes("'fortran_order': True")) throw new Error(`${name}: header ${header}`);
  const bytes = new Uint8Array(file.subarray(start)).buffer;
  return { shape: shape.map(Number), data: decode(kind, bytes, name) };
}

function decode(kind: string, bytes: ArrayBuffer, name: string): NpyArray['data'] {
  switch (kind) {
    case '<f4':
      return new Float32Array(bytes);
    case '<f8':
      return new Float64Array(bytes);
    case '<i4':
      return new Int32Array(bytes);
    case '<i8':
      return Float64Array.from(new BigInt64Array(bytes), Number);
    case '|u1':
    case '|b1':
      return Int32Array.from(new Uint8Array(bytes));
    default:
      throw new Error(`${name}: arrays of ${kind} are not read`);
  }
}
