import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { decodeImage, encodePng, imageSize } from '../../../datasets/formats/image.js';

const width = 5;
const height = 3;
const ramp = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 37) % 256);
const raw = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4): Sharp =>
  sharp(data, { raw: { width, height, channels } });

describe('image: the stored values are what the network sees', () => {
  test('RGB survives encoding and decoding', async () => {
    const bytes = await encodePng({ width, height, data: ramp });
    const image = await decodeImage(bytes, 'x');
    assert.deepEqual({ ...image, data: Uint8Array.from(image.data) }, { width, height, data: ramp });
    assert.deepEqual(await imageSize(bytes, 'x'), { width, height });
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
