import { inflateSync } from 'node:zlib';
import type { RgbImage } from './rgbImage.js';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** A pixel's bytes. */
const channels = 3;

/**
 * Decodes a small PNG of the commonest kind: 8-bit RGB, not interlaced. For thumbnails it takes a third of the time of the
 * image library, which is made for large images.
 *
 * @param largest bytes of the decoded image.
 * @returns null for a larger image, of another kind, or that is not right: then the library decodes it.
 */
export function decodeSmallPng(bytes: Uint8Array, largest: number): RgbImage | null {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Signature, then the chunk IHDR: width, height, bits, colour type, compression, filters, interlacing.
  if (png.length < 33 || !png.subarray(0, 8).equals(signature) || png.toString('latin1', 12, 16) !== 'IHDR')
    return null;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const isCommonest = png[24] === 8 && png[25] === 2 && png[26] === 0 && png[27] === 0 && png[28] === 0;
  const size = width * height * channels;
  if (!isCommonest || size === 0 || size > largest) return null;
  const packed: Buffer[] = [];
  for (let at = 33; ;) {
    if (at + 12 > png.length) return null;
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IEND') break;
    if (type === 'IDAT') packed.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const filtered = inflated(packed.length === 1 ? packed[0]! : Buffer.concat(packed), size + height);
  const data = filtered && unfiltered(filtered, width * channels, height);
  return data && { width, height, data };
}

/** null if it is damaged (its Adler-32 tells), or not as long as it should be. */
function inflated(packed: Buffer, length: number): Buffer | null {
  try {
    const found = inflateSync(packed, { maxOutputLength: length });
    return found.length === length ? found : null;
  } catch {
    return null;
  }
}

/** Undoes the filter of each row (PNG specification, section 9). @returns null for an unknown filter. */
function unfiltered(rows: Buffer, stride: number, height: number): Uint8Array | null {
  // A row above the first and a pixel before each row, all 0: what the specification wants beyond the edges.
  const pitch = stride + channels;
  const padded = new Uint8Array(pitch * (height + 1));
  const data = new Uint8Array(stride * height);
  for (let row = 0, from = 0; row < height; row++, from += stride + 1) {
    const undo = filters[rows[from]!];
    if (undo === undefined) return null;
    const to = (row + 1) * pitch + channels;
    padded.set(rows.subarray(from + 1, from + 1 + stride), to);
    undo(padded, to, to + stride, pitch);
    data.set(padded.subarray(to, to + stride), row * stride);
  }
  return data;
}

/** Adds to each byte of a row what its filter predicts of its neighbours; modulo 256, as the array keeps it. */
type Filter = (bytes: Uint8Array, start: number, end: number, pitch: number) => void;

/** By their numbers: none, left, above, mean of both, Paeth's. */
const filters: readonly Filter[] = [
  () => undefined,
  (bytes, start, end) => {
    for (let i = start; i < end; i++) bytes[i]! += bytes[i - channels]!;
  },
  (bytes, start, end, pitch) => {
    for (let i = start; i < end; i++) bytes[i]! += bytes[i - pitch]!;
  },
  (bytes, start, end, pitch) => {
    for (let i = start; i < end; i++) bytes[i]! += (bytes[i - channels]! + bytes[i - pitch]!) >> 1;
  },
  (bytes, start, end, pitch) => {
    for (let i = start; i < end; i++) {
      const left = bytes[i - channels]!;
      const above = bytes[i - pitch]!;
      const corner = bytes[i - pitch - channels]!;
      const toLeft = Math.abs(above - corner);
      const toAbove = Math.abs(left - corner);
      const toCorner = Math.abs(left + above - 2 * corner);
      bytes[i]! += toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }
  },
];
