import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../../datasets/formats/images/image.js';
import { Drawing, textWidth } from '../../../datasets/pictures/drawing.js';

type Rgb = readonly [number, number, number];

async function pixelsOf(drawing: Drawing): Promise<(x: number, y: number) => Rgb> {
  const { width, data } = await decodeImage(await drawing.png(), 'drawing.png');
  return (x, y) => [0, 1, 2].map((channel) => data[3 * (y * width + x) + channel]!) as unknown as Rgb;
}

test('words are letters without any font of the machine: where they are wide there is ink, and i is no l', async () => {
  const words = 'kamera 01_A';
  const width = textWidth(words, 20);
  assert.ok(width > 80 && width < 160, `${width} pixels`);
  const drawn = new Drawing(200, 30, [255, 255, 255]);
  drawn.text(0, 0, words, [0, 0, 0], 20);
  const at = await pixelsOf(drawn);
  const dark = (from: number, to: number): number => {
    let count = 0;
    for (let x = from; x < to; x++) for (let y = 0; y < 30; y++) if (at(x, y)[0] < 128) count++;
    return count;
  };
  assert.ok(dark(0, Math.ceil(width)) > 300);
  assert.equal(dark(Math.ceil(width) + 2, 200), 0);
  const letter = async (text: string) => {
    const one = new Drawing(20, 30, [255, 255, 255]);
    one.text(0, 0, text, [0, 0, 0], 20);
    return Buffer.from(await one.png()).toString('base64');
  };
  assert.equal(new Set(await Promise.all(['i', 'l', 'I', '頭'].map(letter))).size, 4);
});

test('pictures, lines and dots are where they were drawn; what lies beyond all bounds is left out', async () => {
  const drawing = new Drawing(40, 20, [10, 20, 30]);
  drawing.image(5, 5, { width: 2, height: 2, data: Uint8Array.from([...Array(12).keys()].map((i) => 100 + i)) });
  drawing.dots([[20, 10]], [255, 0, 0], 1);
  drawing.rectangle(30, 0, 10, 5, [0, 255, 0]);
  drawing.line(0, 0, 1e9, 1e9, [255, 255, 255]);
  drawing.line(0, 0, NaN, 3, [255, 255, 255], 1, 4);
  drawing.disc(NaN, 0, 4, [255, 255, 255]);
  const at = await pixelsOf(drawing);
  assert.deepEqual(at(0, 0), [10, 20, 30]);
  assert.deepEqual(at(5, 5), [100, 101, 102]);
  assert.deepEqual(at(6, 6), [109, 110, 111]);
  assert.deepEqual(at(20, 10), [255, 0, 0]);
  assert.deepEqual(at(35, 2), [0, 255, 0]);
});
