import { crc32 } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import sharp from 'sharp';
import { damaged } from './bytes.js';

const picture = sharp({
  create: { width: 40, height: 30, channels: 3, background: '#456', noise: { type: 'gaussian', mean: 90, sigma: 40 } },
});
const [png, jpeg, tiff, webp, grey] = await Promise.all([
  picture.clone().png().toBuffer(),
  picture.clone().jpeg().toBuffer(),
  picture.clone().tiff().toBuffer(),
  picture.clone().webp().toBuffer(),
  picture.clone().toColourspace('grey16').png().toBuffer(),
]);
const drawing = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000"><rect width="9000" height="9000"/></svg>',
);

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function written(chunks: readonly Chunk[]): Buffer {
  const framed = chunks.map(({ type, data }) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length, 0);
    bytes.write(type, 4, 'latin1');
    data.copy(bytes, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
    return bytes;
  });
  return Buffer.concat([png.subarray(0, 8), ...framed]);
}

const header = fc
  .record({
    width: fc.constantFrom(0, 1, 40, 41, 16_384, 2 ** 31 - 1),
    height: fc.constantFrom(0, 1, 30, 16_384, 2 ** 31 - 1),
    depth: fc.constantFrom(1, 2, 4, 8, 16, 3),
    colour: fc.constantFrom(0, 2, 3, 4, 6, 5),
    interlaced: fc.nat(2),
  })
  .map(({ width, height, depth, colour, interlaced }) => {
    const data = Buffer.alloc(13);
    data.writeUInt32BE(width, 0);
    data.writeUInt32BE(height, 4);
    data.set([depth, colour, 0, 0, interlaced], 8);
    return data;
  });

/** PNGs whose chunks are changed, dropped or repeated under right checksums. */
const chunked: Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(png, grey), header, fc.boolean(), fc.array(fc.nat(10), { maxLength: 8 }))
  .chain(([bytes, head, isChanged, order]) => {
    const chunks = chunksOf(bytes).map((chunk) =>
      isChanged && chunk.type === 'IHDR' ? { ...chunk, data: head } : chunk,
    );
    const picked = order.length === 0 ? chunks : order.map((index) => chunks[index % chunks.length]!);
    const data = fc.tuple(...picked.map((chunk) => damaged(fc.constant(chunk.data))));
    return data.map((list) => written(picked.map(({ type }, i) => ({ type, data: list[i]! }))));
  });

export const imageFiles: Arbitrary<Buffer> = fc.oneof(
  chunked,
  damaged(fc.constantFrom(png, jpeg, tiff, webp, drawing)),
);
