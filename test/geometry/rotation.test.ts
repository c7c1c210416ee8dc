import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { multiply3x3 } from '../../geometry/cameras/camera.js';
import { counterRandom } from '../../geometry/random.js';
import { quaternionToMatrix, randomRotation, rotatePoints, rotationAboutAxis } from '../../geometry/rotation.js';

const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(
      Math.abs(found[i]! - expected[i]!) <= tolerance,
      `${Array.from(found).join(' ')} at ${i}: ${expected[i]}`,
    );
  }
}

function assertRotation(r: Float64Array): void {
  assertNear(multiply3x3(r, Float64Array.of(r[0]!, r[3]!, r[6]!, r[1]!, r[4]!, r[7]!, r[2]!, r[5]!, r[8]!)), identity);
  const determinant =
    r[0]! * (r[4]! * r[8]! - r[5]! * r[7]!) -
    r[1]! * (r[3]! * r[8]! - r[5]! * r[6]!) +
    r[2]! * (r[3]! * r[7]! - r[4]! * r[6]!);
  assert.ok(Math.abs(determinant - 1) < 1e-12);
}

test('quaternions are (w, x, y, z), normalised or not', () => {
  assertNear(quaternionToMatrix(1, 0, 0, 0), identity);
  // A quarter turn about z takes x to y.
  const quarter = quaternionToMatrix(3, 0, 0, 3);
  assertNear(rotatePoints(quarter, Float32Array.of(1, 0, 0, 0, 2, 0)), [0, 1, 0, -2, 0, 0], 1e-7);
  assertNear(rotationAboutAxis([0, 0, 5], Math.PI / 2), quarter);
  assertNear(
    rotatePoints(rotationAboutAxis([1, 0, 0], 0.3), Float32Array.of(0, 1, 0)),
    [0, Math.cos(0.3), Math.sin(0.3)],
    1e-7,
  );
  assertRotation(quaternionToMatrix(0.3, -0.2, 0.9, 0.5));
  assert.throws(() => quaternionToMatrix(0, 0, 0, 0), /zero quaternion/);
  assert.throws(() => rotationAboutAxis([0, 0, 0], 1), /axis/);
});

describe('randomRotation', () => {
  test('turns a direction to everywhere on the sphere alike', () => {
    const { gaussian } = counterRandom(11, 'rotation');
    const mean = new Float64Array(3);
    const square = new Float64Array(3);
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const r = randomRotation(gaussian);
      if (i < 20) assertRotation(r);
      for (let axis = 0; axis < 3; axis++) {
        const value = r[3 * axis + 1]!;
        mean[axis]! += value / count;
        square[axis]! += value ** 2 / count;
      }
    }
    assertNear(mean, [0, 0, 0], 0.02);
    assertNear(square, [1 / 3, 1 / 3, 1 / 3], 0.01);
  });
});
