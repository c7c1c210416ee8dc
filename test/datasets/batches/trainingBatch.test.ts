import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TrainingBatchSettings } from '../../../datasets/batches/settings.js';
import { trainingBatch } from '../../../datasets/batches/trainingBatch.js';
import { FrameUnreadable } from '../../../datasets/reader/errors.js';
import type { Sample } from '../../../datasets/types.js';
import { counterRandom } from '../../../geometry/random.js';
import { batchSettings } from '../../support/tiny/batchSettings.js';

const [width, height] = [6, 4];

/** A sample whose pixels, points and vertices say which they are. */
function sample(number: number, views: number, points = 40): Sample {
  const view = (v: number) => ({
    camera: {
      name: `${String(v).padStart(2, '0')}_A`,
      width,
      height,
      intrinsics: Float64Array.of(10 + v, 0, 3, 0, 10 + v, 2, 0, 0, 1),
      extrinsics: Float64Array.of(1, 0, 0, v, 0, 1, 0, number, 0, 0, 1, 1000),
      distortion: [0.001 * v, 0] as const,
    },
    image: new Float32Array(width * height * 3).fill((v + 1) / 20),
  });
  return {
    id: { subject: `s${number}`, sequence: 'q', frame: '000001' },
    views: Array.from({ length: views }, (_, v) => view(v)),
    vertices: new Float32Array(9).fill(number),
    scanPoints: Float32Array.from({ length: points * 3 }, (_, i) => 1000 * number + Math.floor(i / 3)),
    coarseVertices: null,
  };
}

const settings = (changed: Partial<TrainingBatchSettings['stage']> = {}) =>
  batchSettings(
    { batchSize: 2, views: { minimum: 8, random: true }, scanPoints: 10, imageResizeFactor: 8, ...changed },
    7,
  );

const batch = (step: number, changes: Partial<TrainingBatchSettings['stage']> = {}, views = 16) =>
  trainingBatch(step, [sample(1, views), sample(2, views)], settings(changes));

describe('the views of a training batch', () => {
  test('the views of a training batch are round(m + (V − m) U) of them, one draw a batch, sorted, and each with its own camera', () => {
    const counts = new Map<number, number>();
    for (let step = 0; step < 400; step++) {
      const { shape, viewNames, extrinsics, images } = batch(step);
      counts.set(shape.views, (counts.get(shape.views) ?? 0) + 1);
      viewNames.forEach((names, b) => {
        assert.equal(new Set(names).size, shape.views);
        assert.deepEqual([...names].sort(), names);
        names.forEach((name, v) => {
          const index = b * shape.views + v;
          assert.equal(extrinsics[index * 12 + 3], Number.parseInt(name, 10));
          const red = Math.fround(((Number.parseInt(name, 10) + 1) / 20 - 0.485) / 0.229);
          assert.ok(Math.abs(images[index * width * height * 3]! - red) < 1e-5);
        });
      });
    }
    assert.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [8, 9, 10, 11, 12, 13, 14, 15, 16],
    );
    // The ends are rounded to from half an interval.
    assert.ok(counts.get(8)! < 50 && counts.get(16)! < 50 && counts.get(12)! > 25);
  });

  test('all are taken where there are no more than the minimum, or where they are not drawn', () => {
    assert.equal(batch(0, {}, 8).shape.views, 8);
    assert.equal(batch(0, {}, 3).shape.views, 3);
    assert.equal(batch(0, { views: { minimum: 2, random: false } }).shape.views, 16);
  });

  test('samples with different numbers of views share as many as the poorer has', () => {
    const { shape, viewNames } = trainingBatch(0, [sample(1, 5), sample(2, 4)], settings());
    assert.equal(shape.views, 4);
    assert.deepEqual(
      viewNames.map((names) => names.length),
      [4, 4],
    );
  });
});

test('augmentation differs by step, sample and view, and the cameras follow it', () => {
  const on = { augmentation: { enabled: true, scale: [0.9, 1.1], brightnessSigma: 0.33 } } as const;
  const augmented = batch(3, { ...on, views: { minimum: 8, random: false } } as never);
  const focal = (index: number): number => augmented.intrinsics[index * 9]!;
  const scales = Array.from({ length: 32 }, (_, index) => focal(index) / (10 + (index % 16)));
  assert.equal(new Set(scales).size, 32);
  assert.ok(scales.every((scale) => scale >= 0.9 && scale < 1.1));
  assert.ok(Math.max(...scales) - Math.min(...scales) > 0.1);
  augmented.cameras.flat().forEach((camera, index) => assert.equal(Math.fround(camera.intrinsics[0]!), focal(index)));
  const plain = batch(3, { views: { minimum: 8, random: false } });
  assert.notDeepEqual(plain.images, augmented.images);
  assert.deepEqual(plain.extrinsics, augmented.extrinsics);
});

describe('scan points', () => {
  test('scan points are as many as asked for, all different, of the sample, and others at the next step', () => {
    const { scanPoints } = batch(0);
    scanPoints.forEach((points, b) => {
      const numbers = Array.from({ length: 10 }, (_, i) => points[3 * i]!);
      assert.equal(points.length, 30);
      assert.equal(new Set(numbers).size, 10);
      assert.ok(numbers.every((number) => number >= 1000 * (b + 1) && number < 1000 * (b + 1) + 40));
      assert.ok(numbers.every((number, i) => points[3 * i + 1] === number && points[3 * i + 2] === number));
    });
    assert.notDeepEqual(batch(1).scanPoints, scanPoints);
  });

  test('every point has the same chance', () => {
    const drawn = new Float64Array(40);
    const steps = 2000;
    for (let step = 0; step < steps; step++) {
      const { scanPoints } = trainingBatch(step, [sample(0, 2)], settings());
      for (let i = 0; i < 30; i += 3) drawn[scanPoints[0]![i]!]!++;
    }
    // Ten of forty: a quarter, within five standard deviations.
    for (const count of drawn) assert.ok(Math.abs(count - steps / 4) < 5 * Math.sqrt((steps * 3) / 16), `${count}`);
  });

  test('scan points are all taken where there are no more', () => {
    assert.equal(batch(0, { scanPoints: 100 }).scanPoints[0]!.length, 120);
  });
});

test('a frame without registration or scan cannot be trained on, and is named', () => {
  for (const missing of [{ vertices: null }, { scanPoints: new Float32Array(0) }]) {
    const bad = { ...sample(2, 8), ...missing };
    assert.throws(
      () => trainingBatch(0, [sample(1, 8), bad], settings()),
      (error: unknown) =>
        error instanceof FrameUnreadable && error.frame === bad.id && /training needs one/.test(error.message),
    );
  }
});

test('frames whose views differ in size are named', () => {
  const other = sample(2, 8);
  const camera = { ...other.views[0]!.camera, width: 5 };
  const odd = { ...other, views: other.views.map((view) => ({ ...view, camera })) };
  assert.throws(
    () => trainingBatch(0, [sample(1, 8), odd], settings()),
    /s1\/q\/000001 and s2\/q\/000001.*6×4 and 5×4/,
  );
});

test('neighbouring steps and purposes do not share their random numbers', () => {
  const first = (...keys: (string | number)[]): number => counterRandom(7, ...keys).uniform();
  const values = [first('views', 0, 1), first('views', 1, 0), first('scan points', 0, 1), first('view count', 0)];
  assert.equal(new Set(values).size, values.length);
});
