import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { decodeImage, encodePng, imageSize } from '../../../datasets/formats/images/image.js';
import { decodeSmallPng } from '../../../datasets/formats/images/png.js';
import { counterRandom } from '../../../geometry/random.js';
import { crc32, deflateSync } from 'node:zlib';

const width = 5;
const height = 3;
const ramp = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 37) % 256);
const raw = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4): Sharp =>
  sharp(data, { raw: { width, height, channels } });

/** An 8-bit RGB PNG of filtered rows. */
function pngOf(width: number, height: number, rows: Uint8Array): Buffer {
  const chunk = (type: string, body: Uint8Array): Buffer => {
    const framed = Buffer.alloc(body.length + 12);
    framed.writeUInt32BE(body.length);
    framed.write(type, 4, 'latin1');
    framed.set(body, 8);
    framed.writeUInt32BE(crc32(framed.subarray(4, -4)), body.length + 8);
    return framed;
  };
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('image: the stored values are what the network sees', () => {
  test('RGB survives encoding and decoding', async () => {
    const bytes = await encodePng({ width, height, data: ramp });
    const image = await decodeImage(bytes, 'x');
    assert.deepEqual({ ...image, data: Uint8Array.from(image.data) }, { width, height, data: ramp });
    assert.deepEqual(await imageSize(bytes, 'x'), { width, height });
  });

  test('small images, which we decode ourselves, are what the image library makes of them: every filter, every edge', async () => {
    const noise = counterRandom(1, 'png');
    for (const [width, height] of [
      [1, 1],
      [1, 9],
      [17, 1],
      [64, 48],
    ] as const) {
      // A slope, so that encoders choose different filters, and noise.
      const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => i / 7 + 40 * noise.uniform());
      for (const adaptiveFiltering of [false, true]) {
        const pixels = sharp(data, { raw: { width, height, channels: 3 } });
        const png = await pixels.png({ adaptiveFiltering }).toBuffer();
        assert.deepEqual(decodeSmallPng(png, 1e5), { width, height, data });
        assert.equal(decodeSmallPng(png, data.length - 1), null);
      }
    }
    // Rows with each of the five filters in turn; only what the specification says tells what they mean.
    const rows = Buffer.from([
      0, 10, 20, 30, 40, 50, 60, 1, 1, 2, 3, 250, 5, 6, 2, 1, 1, 1, 1, 1, 1, 3, 9, 9, 9, 9, 9, 9, 4, 7, 7, 7, 7, 7, 7,
    ]);
    const filtered = pngOf(2, 5, rows);
    const { data } = await sharp(filtered).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([...decodeSmallPng(filtered, 1e5)!.data], [...data]);
    const unknown = Buffer.from(rows);
    unknown[0] = 5;
    assert.equal(decodeSmallPng(pngOf(2, 5, unknown), 1e5), null);
  });

  test('grey values are repeated', async () => {
    const grey = ramp.subarray(0, width * height);
    const image = await decodeImage(await raw(grey, 1).toColourspace('b-w').png().toBuffer(), 'x');
    assert.deepEqual(
      [...image.data],
      [...grey].flatMap((value) => [value, value, value]),
    );
  });

  test('transparency is dropped, not blended', async () => {
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, index) => (index % 4 === 3 ? 10 : ramp[index]!));
    const image = await decodeImage(await raw(rgba, 4).png().toBuffer(), 'x');
    assert.deepEqual(
      [...image.data],
      [...rgba].filter((_, index) => index % 4 !== 3),
    );
  });

  test('16 bits are cut to the upper 8, in colour and in grey', async () => {
    const deep = Uint16Array.from(ramp, (value, index) => value * 256 + ((index * 91) % 256));
    const colour = await raw(deep, 3).toColourspace('rgb16').png().toBuffer();
    assert.equal((await sharp(colour).metadata()).depth, 'ushort');
    assert.deepEqual([...(await decodeImage(colour, 'x')).data], [...ramp]);
    const grey = await raw(deep.subarray(0, width * height), 1)
      .toColourspace('grey16')
      .png()
      .toBuffer();
    assert.equal((await sharp(grey).metadata()).depth, 'ushort');
    assert.deepEqual(
      [...(await decodeImage(grey, 'x')).data],
      [...ramp.subarray(0, width * height)].flatMap((v) => [v, v, v]),
    );
  });

  test('a palette, a colour profile and an orientation tag change nothing', async () => {
    const palette = await raw(ramp, 3).png({ palette: true, colours: 256, dither: 0 }).toBuffer();
    assert.equal((await decodeImage(palette, 'x')).data.length, ramp.length);
    const profiled = await raw(ramp, 3).withIccProfile('p3', { attach: true }).png().toBuffer();
    const stored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    assert.deepEqual([...(await decodeImage(profiled, 'x')).data], [...stored]);
    const turned = await raw(ramp, 3).withMetadata({ orientation: 6 }).png().toBuffer();
    const image = await decodeImage(turned, 'x');
    assert.deepEqual([image.width, image.height, ...image.data], [width, height, ...ramp]);
  });

  test('what is no image, or cut short, is refused by name', async () => {
    const good = await encodePng({
      width: 64,
      height: 64,
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i) % 251),
    });
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<html></html>'),
      good.subarray(0, 20),
      good.subarray(0, good.length >> 1),
    ]) {
      await assert.rejects(
        decodeImage(bytes, 'frame.png'),
        (error: unknown) => error instanceof FormatError && error.message.startsWith('frame.png'),
      );
    }
    const flipped = Buffer.from(good);
    flipped[good.length >> 1]! ^= 0xff;
    await assert.rejects(decodeImage(flipped, 'frame.png'), FormatError);
    await assert.rejects(imageSize(Buffer.from('no'), 'frame.png'), FormatError);
  });

  test('a declared size beyond any camera is refused before decoding', async () => {
    const bytes = Buffer.from(await encodePng({ width, height, data: ramp }));
    bytes.writeUInt32BE(60_000, 16);
    bytes.writeUInt32BE(60_000, 20);
    await assert.rejects(decodeImage(bytes, 'frame.png'), FormatError);
  });
});
