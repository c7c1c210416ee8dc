/**
 * The safetensors format: eight bytes of header length, a JSON header, then the numbers, little-endian.
 * https://huggingface.co/docs/safetensors — `safetensors.numpy.load_file` reads what is written here.
 */

/** An array with its shape, off the device. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** Thrown for bytes that are no safetensors file, or end early. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const alignment = 8;
/** What the reference implementation refuses, too. */
const largestHeader = 100_000_000;

/** The same arrays and metadata give the same bytes, in whatever order they come. */
export function encodeSafetensors(arrays: NamedArrays, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const names = Object.keys(arrays).sort();
  const header: Record<string, HeaderEntry | Record<string, string>> = {};
  if (Object.keys(metadata).length > 0) {
    header['__metadata__'] = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  let size = 0;
  for (const name of names) {
    const { shape, values } = arrays[name]!;
    if (shape.reduce((product, length) => product * length, 1) !== values.length) {
      throw new SafetensorsError(`${name}: ${values.length} numbers do not fill the shape [${shape.join(', ')}]`);
    }
    const dtype = values instanceof Float32Array ? 'F32' : 'I32';
    header[name] = { dtype, shape: [...shape], data_offsets: [size, size + values.byteLength] };
    size += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const start = 8 + Math.ceil(json.length / alignment) * alignment;
  const bytes = new Uint8Array(start + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.fill(0x20, 8, start);
  bytes.set(json, 8);
  let offset = start;
  for (const name of names) {
    const { values } = arrays[name]!;
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

/** @param file - what the bytes are, for messages. @returns arrays of their own, not views into `bytes`. */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
): { arrays: Record<string, NamedArray>; metadata: Record<string, string> } {
  const { header, start } = readHeader(bytes, file);
  const arrays: Record<string, NamedArray> = {};
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = entry as Record<string, string>;
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry as HeaderEntry;
    const [from, to] = offsets;
    if (dtype !== 'F32' && dtype !== 'I32') {
      throw new SafetensorsError(`${file}: ${name} has numbers of type ${dtype}; expected F32 or I32`);
    }
    const count = shape.reduce((product, length) => product * length, 1);
    if (!(from >= 0 && to - from === count * 4 && start + to <= bytes.length)) {
      throw new SafetensorsError(
        `${file}: ${name} of shape [${shape.join(', ')}] lies at bytes ${from} to ${to} of ${bytes.length - start}`,
      );
    }
    // A copy: Buffer's own slice would be a view.
    const buffer = Uint8Array.prototype.slice.call(bytes, start + from, start + to).buffer;
    arrays[name] = { shape, values: dtype === 'F32' ? new Float32Array(buffer) : new Int32Array(buffer) };
  }
  return { arrays, metadata };
}

function readHeader(bytes: Uint8Array, file: string): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw new SafetensorsError(`${file}: ${bytes.length} bytes are no safetensors file`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > largestHeader || 8 + length > bytes.length) {
    throw new SafetensorsError(`${file}: a header of ${length} bytes in a file of ${bytes.length}`);
  }
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
    const header: unknown = JSON.parse(json);
    if (typeof header === 'object' && header !== null)
      return { header: header as Record<string, unknown>, start: 8 + length };
  } catch (cause) {
    throw new SafetensorsError(`${file}: the header is not JSON`, { cause });
  }
  throw new SafetensorsError(`${file}: the header is no JSON object`);
}
