import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meanHead } from '../../evaluation/heads/meanHead.js';
import {
  alignmentRotation,
  bestRotation,
  centroid,
  meanRotation,
  translated,
} from '../../evaluation/heads/rigidAlignment.js';
import { counterRandom } from '../../geometry/random.js';
import { randomRotation, rotatePoints, rotationAboutAxis } from '../../geometry/rotation.js';

const random = counterRandom(3, 'heads');
const shape = Float32Array.from({ length: 120 }, () => 50 * random.gaussian());
const [x, y, z] = centroid(shape);
const head = translated(shape, [-x, -y, -z]);

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i]! - expected[i]!) <= tolerance, `number ${i}: ${found[i]}, expected ${expected[i]}`);
  }
}

describe('rigid alignment', () => {
  test('any rotation is found again', () => {
    for (let i = 0; i < 20; i++) {
      const rotation = randomRotation(() => random.gaussian());
      assertNear(alignmentRotation(head, rotatePoints(rotation, head)), rotation, 1e-5);
    }
  });

  test('a half turn is found, though its quaternion has no real part', () => {
    const halfTurn = rotationAboutAxis([1, 2, -1], Math.PI);
    assertNear(alignmentRotation(head, rotatePoints(halfTurn, head)), halfTurn, 1e-5);
  });

  test('a mirrored head is rotated, never mirrored', () => {
    const mirrored = head.map((value, i) => (i % 3 === 0 ? -value : value));
    const r = alignmentRotation(head, mirrored);
    const determinant =
      r[0]! * (r[4]! * r[8]! - r[5]! * r[7]!) -
      r[1]! * (r[3]! * r[8]! - r[5]! * r[6]!) +
      r[2]! * (r[3]! * r[7]! - r[4]! * r[6]!);
    assert.ok(Math.abs(determinant - 1) < 1e-9);
  });

  test('points without extent give some rotation, not NaN', () => {
    assertNear(bestRotation(new Float64Array(9)), [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-12);
  });

  test('the mean of turns to the left and to the right looks straight ahead', () => {
    const turns = [-0.4, 0.4, 0.1, -0.1].map((angle) => rotationAboutAxis([0, 1, 0], angle));
    assertNear(meanRotation(turns), [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-9);
  });
});

describe('mean head', () => {
  test('one head at many places and in many poses is its own mean, centred, in the mean pose', () => {
    const heads = [-0.4, 0, 0.4].map((angle, i) =>
      translated(rotatePoints(rotationAboutAxis([0, 1, 0], angle), head), [100 * i, -50, 30]),
    );
    assertNear(meanHead(heads), head, 1e-3);
  });

  test('shapes are averaged vertex by vertex, sizes kept', () => {
    const large = head.map((value) => 1.2 * value);
    assertNear(
      meanHead([head, large]),
      head.map((value) => 1.1 * value),
      1e-3,
    );
  });

  test('mean head: without a registration it says so', () => {
    assert.throws(() => meanHead([]), /at least one training registration/);
  });
});
