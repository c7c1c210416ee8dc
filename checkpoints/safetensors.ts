import { z } from 'zod';
import { printable } from '../text/printable.js';

/**
 * The safetensors format: eight bytes of header length, a JSON header, then the numbers, little-endian.
 * https://huggingface.co/docs/safetensors — `safetensors.numpy.load_file` reads what is written here.
 */

/** An array with its shape, off the device. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Arrays by name, as a safetensors file holds them. */
export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** Thrown for bytes that are no safetensors file, or end early. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)).max(16),
  /** Bytes from (included) and to (excluded), counted from the end of the header. */
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
type HeaderEntry = z.infer<typeof entrySchema>;

const headerSchema = z.object({ __metadata__: z.record(z.string(), z.string()).optional() }).catchall(entrySchema);

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

/**
 * @param file what the bytes are, for messages.
 * @returns arrays of their own, not views into `bytes`.
 * @throws SafetensorsError naming the file and the field.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
): { arrays: Record<string, NamedArray>; metadata: Record<string, string> } {
  const { entries, metadata, start } = readHeader(bytes, file);
  const arrays: Record<string, NamedArray> = {};
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of entries) {
    const [from, to] = offsets;
    const tensor = printable(name);
    if (dtype !== 'F32' && dtype !== 'I32') {
      throw new SafetensorsError(`${file}: ${tensor} has numbers of type ${printable(dtype)}; expected F32 or I32`);
    }
    const count = shape.reduce((product, length) => product * length, 1);
    if (from !== end || to - from !== count * 4 || start + to > bytes.length) {
      throw new SafetensorsError(
        `${file}: ${tensor} of shape [${shape.join(', ')}] lies at bytes ${from} to ${to} of ${bytes.length - start}; ` +
          `expected ${end} to ${end + count * 4}`,
      );
    }
    end = to;
    // A copy: Buffer's own slice would be a view.
    const buffer = Uint8Array.prototype.slice.call(bytes, start + from, start + to).buffer;
    arrays[name] = { shape, values: dtype === 'F32' ? new Float32Array(buffer) : new Int32Array(buffer) };
  }
  if (start + end !== bytes.length) {
    throw new SafetensorsError(`${file}: ${bytes.length - start} bytes follow the header; expected ${end}`);
  }
  return { arrays, metadata };
}

/** The tensors in the order of their bytes, which follow one another without gap or overlap. */
function readHeader(
  bytes: Uint8Array,
  file: string,
): { entries: [string, HeaderEntry][]; metadata: Record<string, string>; start: number } {
  if (bytes.length < 8) throw new SafetensorsError(`${file}: ${bytes.length} bytes are not a safetensors file`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > largestHeader || 8 + length > bytes.length) {
    throw new SafetensorsError(`${file}: a header of ${length} bytes in a file of ${bytes.length}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw new SafetensorsError(`${file}: the header is not JSON`, { cause });
  }
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const field = z.core.toDotPath(first?.path ?? []);
    const place = field === '' ? 'the header' : `the header's field ${printable(field)}`;
    throw new SafetensorsError(`${file}: ${place}: ${printable(first?.message ?? '')}`);
  }
  const { __metadata__: metadata = {}, ...tensors } = parsed.data;
  const entries = Object.entries(tensors as Record<string, HeaderEntry>);
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  return { entries, metadata, start: 8 + length };
}
