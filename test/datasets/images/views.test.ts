import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parseTka } from '../../../datasets/formats/tka.js';
import { augmentedCamera, writeAugmented } from '../../../datasets/images/augment.js';
import { decodeView } from '../../../datasets/images/decodeView.js';
import { coloursOf, resizeImage } from '../../../datasets/images/floatImage.js';
import { normalise } from '../../../datasets/images/normalise.js';
import { calibrationPath, imagePath } from '../../../datasets/layout.js';
import type { SampleView } from '../../../datasets/types.js';
import { assertGolden, goldenArray, goldenPath } from '../../support/golden/golden.js';

const frame = { subject: 'subject_000', sequence: 'seq_a', frame: '000001' };
const names = ['00_A', '00_B', '01_A', '01_B'];

async function goldenView(name: string): Promise<SampleView> {
  const file = goldenPath(`data/images/${imagePath(frame, name)}`);
  const tka = goldenPath(`data/calibrations/${calibrationPath(frame.subject, frame.sequence, name)}`);
  const calibration = parseTka(await readFile(tka, 'utf8'), tka);
  return decodeView({ name, file, bytes: await readFile(file), calibration }, 8);
}

/** `[H, W, 3]` to the published order `[3, H, W]`. */
function channelsFirst(data: Float32Array): Float32Array {
  const pixels = data.length / 3;
  return Float32Array.from(data, (_, i) => data[3 * (i % pixels) + Math.floor(i / pixels)]!);
}

function normalised(image: Float32Array): Float32Array {
  const target = image.slice();
  normalise(target);
  return target;
}

test('images at an eighth of the sensor are those the published system feeds its network, portrait views turned', async () => {
  const views = await Promise.all(names.map(goldenView));
  const images = views.flatMap(({ image }) => [...channelsFirst(normalised(coloursOf(image)))]);
  assertGolden('coarse/inputs/stereo_images', images);
  const intrinsics = views.flatMap(({ camera }) => [...camera.intrinsics]);
  assertGolden('coarse/inputs/stereo_camera_intrinsics', intrinsics);
});

for (const index of [0, 1]) {
  test(`augmented view ${index}: scaled, cropped or padded with black, brightened, as the published system does it`, async () => {
    const { camera, image } = await goldenView(names[index]!);
    const [scale, red, green, blue] = [...goldenArray(`coarse/augment/view${index}_scale_brightness`).data].map(Number);
    const augmentation = { scale: scale!, brightness: [red!, green!, blue!] as const };
    const { width, height } = camera;
    // Whatever was there before is written over.
    const target = new Float32Array(3 * width * height).fill(7);
    writeAugmented({ width, height, data: image }, augmentation, target);
    assertGolden(`coarse/augment/view${index}_image`, channelsFirst(normalised(target)));
    assertGolden(`coarse/augment/view${index}_intrinsics`, augmentedCamera(camera, augmentation).intrinsics);
  });
}

test('a flat image stays flat at any size, borders included', () => {
  const flat = { width: 7, height: 5, data: new Float32Array(7 * 5 * 3).fill(0.25) };
  for (const [width, height] of [
    [3, 2],
    [1, 1],
    [20, 9],
    [6, 5],
  ] as const) {
    const resized = resizeImage(flat, width, height);
    assert.equal(resized.data.length, width * height * 3);
    for (const value of resized.data) assert.ok(Math.abs(value - 0.25) < 1e-6, `${value} at ${width}×${height}`);
  }
});

/** `gaussian_filter1d` of the row below, then linear interpolation, to 5 and to 3 pixels. */
const scipy = [
  [0.3292565, 0.3054474, 0.66614, 0.7344143, 0.4176748],
  [0.3366577, 0.5899625, 0.5754515],
];

test('shrinking by more than two blurs as SciPy does (mirrored borders, 4 σ), then interpolates at pixel centres', () => {
  const row = Array.from({ length: 13 }, (_, i) => ((i * i * 7 + 3 * i) % 23) / 22);
  const across = { width: 13, height: 1, data: Float32Array.from(row.flatMap((value) => [value, value, value])) };
  const down = { ...across, width: 1, height: 13 };
  for (const expected of scipy) {
    for (const resized of [resizeImage(across, expected.length, 1), resizeImage(down, 1, expected.length)]) {
      expected.forEach((value, i) => assert.ok(Math.abs(resized.data[3 * i + 1]! - value) < 1e-6));
    }
  }
});
