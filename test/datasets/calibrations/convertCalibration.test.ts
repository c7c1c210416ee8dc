import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convertCalibration, LensUnusable } from '../../../datasets/calibrations/convertCalibration.js';
import { inWorld, type OpencvCamera } from '../../../datasets/calibrations/opencvCamera.js';
import { cameraFromTka, parseTka } from '../../../datasets/formats/tka.js';
import { cameraCentre, projectPoints } from '../../../geometry/cameras/camera.js';
import { counterRandom } from '../../../geometry/random.js';
import { rotationAboutAxis } from '../../../geometry/rotation.js';

const camera = (distortion: readonly number[]): OpencvCamera => ({
  name: 'left_A',
  imageSize: [1600, 1200],
  focal: [2400, 2392],
  principalPoint: [812.25, 587.5],
  distortion: Float64Array.from({ length: 12 }, (_, i) => distortion[i] ?? 0),
  rotation: rotationAboutAxis([0.2, 0.9, 0.1], 2.8),
  translation: [30.5, -41.25, 1012.125],
});

/** The formula in the documentation of `cv::projectPoints`, written down anew. */
function opencv(c: OpencvCamera, [X, Y, Z]: readonly [number, number, number]): [number, number] {
  const r = c.rotation;
  const x = r[0]! * X + r[1]! * Y + r[2]! * Z + c.translation[0];
  const y = r[3]! * X + r[4]! * Y + r[5]! * Z + c.translation[1];
  const z = r[6]! * X + r[7]! * Y + r[8]! * Z + c.translation[2];
  const [a, b] = [x / z, y / z];
  const r2 = a ** 2 + b ** 2;
  const [k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4] = [...c.distortion] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const factor = (1 + k1 * r2 + k2 * r2 ** 2 + k3 * r2 ** 3) / (1 + k4 * r2 + k5 * r2 ** 2 + k6 * r2 ** 3);
  const u = a * factor + 2 * p1 * a * b + p2 * (r2 + 2 * a ** 2) + s1 * r2 + s2 * r2 ** 2;
  const v = b * factor + p1 * (r2 + 2 * b ** 2) + 2 * p2 * a * b + s3 * r2 + s4 * r2 ** 2;
  return [c.focal[0] * u + c.principalPoint[0], c.focal[1] * v + c.principalPoint[1]];
}

/** Largest distance, px of the full resolution, between OpenCV's projection and the reader's at a resize factor. */
function largestDifference(c: OpencvCamera, tka: string, resizeFactor: number): number {
  const read = cameraFromTka(parseTka(tka, 'x'), resizeFactor, c.name);
  const random = counterRandom(1, 'points');
  let largest = 0;
  let within = 0;
  for (let i = 0; i < 3000; i++) {
    const point = [600, 600, 600].map((side) => side * (random.uniform() - 0.5)) as [number, number, number];
    const [u, v] = opencv(c, point);
    if (u < 0 || v < 0 || u > 1600 || v > 1200) continue;
    within++;
    const [x, y] = projectPoints(read, Float64Array.from(point));
    largest = Math.max(largest, Math.hypot(resizeFactor * x! - u, resizeFactor * y! - v));
  }
  assert.ok(within > 1000, `${within} points within the image`);
  return largest;
}

describe('an OpenCV calibration written for the reader', () => {
  test('radial distortion k1, k2: the reader projects as OpenCV does, at every resize factor', () => {
    for (const distortion of [[], [-0.21, 0.13], [0.08, -0.02]]) {
      const own = camera(distortion);
      const { tka, residual, approximated } = convertCalibration(own);
      assert.deepEqual(approximated, []);
      assert.ok(residual.max < 1e-6, `${residual.max}`);
      for (const resizeFactor of [1, 4, 8]) {
        const difference = largestDifference(own, tka, resizeFactor);
        assert.ok(difference < 1e-6, `${difference} px at resize factor ${resizeFactor}`);
      }
    }
  });

  test('terms that the reader does not have come as near as they can, and the residual says how near', () => {
    const own = camera([-0.21, 0.13, 0.0008, -0.0006, -0.05]);
    const plain = convertCalibration({ ...own, distortion: own.distortion.map((value, i) => (i < 2 ? value : 0)) });
    const { tka, residual, approximated } = convertCalibration(own);
    assert.deepEqual(approximated, ['p1', 'p2', 'k3']);
    // Left out, they would cost pixels.
    assert.ok(largestDifference(own, plain.tka, 1) > 1);
    assert.ok(residual.max < 0.6 && residual.max > 1e-4, `${residual.max}`);
    assert.ok(residual.rms < residual.max);
    // Largest near a corner, and told over the image up to the corners.
    assert.equal(residual.grid.length, 5);
    assert.ok(residual.grid.every((row) => row.length === 6 && row.every((value) => value <= residual.max)));
    const corners = [residual.grid[0]!, residual.grid[4]!].flatMap((row) => [row[0]!, row[5]!]);
    assert.ok(Math.max(...corners) > residual.max / 2, `${corners.join()}`);
    assert.ok(largestDifference(own, tka, 1) <= residual.max * 1.05);
    // The camera stands where it stood.
    const centre = cameraCentre(cameraFromTka(parseTka(tka, 'x'), 1, 'x'));
    const { rotation: r, translation: t } = own;
    centre.forEach((value, i) => {
      assert.ok(Math.abs(value + r[i]! * t[0] + r[3 + i]! * t[1] + r[6 + i]! * t[2]) < 1e-9);
    });
  });

  test('the coefficients for other programs undistort what ours distort', () => {
    const own = camera([-0.21, 0.13]);
    const { undistortion, focalLength } = parseTka(convertCalibration(own).tka, 'x');
    for (const radius of [0.1, 0.2, 0.3]) {
      const distorted = radius * (1 - 0.21 * radius ** 2 + 0.13 * radius ** 4);
      const inMillimetres = (distorted * focalLength) ** 2;
      const back = distorted * (1 + undistortion[0] * inMillimetres + undistortion[1] * inMillimetres ** 2);
      assert.ok(Math.abs(back - radius) < 1e-3 * radius, `${back} is not ${radius}`);
    }
  });

  test('a lens that folds its picture is refused, with the pixel', () => {
    assert.throws(
      () => convertCalibration(camera([-1.6, 0])),
      (error: unknown) =>
        error instanceof LensUnusable && /left_A: no direction is seen at pixel \(0, 0\)/.test(error.message),
    );
  });

  test('a world that is moved and turned: points move with it', () => {
    const own = camera([-0.1, 0]);
    const axes = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 1, 0);
    const moved = inWorld(own, [10, 20, 30], axes);
    const [x, y, z] = [50, -40, 70];
    // x' = axes · (x − origin)
    const [u, v] = opencv(moved, [x - 10, -(z - 30), y - 20]);
    const [expectedU, expectedV] = opencv(own, [x, y, z]);
    assert.ok(Math.abs(u - expectedU) < 1e-9 && Math.abs(v - expectedV) < 1e-9);
  });
});
