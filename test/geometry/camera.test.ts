import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  cameraCentre,
  lookAt,
  projectPoints,
  rotateCounterClockwise,
  scaleIntrinsics,
  shiftIntrinsics,
  type Camera,
} from '../../geometry/cameras/camera.js';
import { fitForwardDistortion } from '../../geometry/cameras/distortion.js';
import { assertGolden, goldenArray, goldenPath } from '../support/golden/golden.js';

const pinhole: Camera = {
  name: '01_A',
  width: 400,
  height: 300,
  intrinsics: Float64Array.of(500, 2, 200, 0, 510, 150, 0, 0, 1),
  extrinsics: Float64Array.of(0, 0, 1, 10, 1, 0, 0, 20, 0, 1, 0, 30),
  distortion: [0.1, -0.02],
};

/** The numbers of a calibration file, by the letters in front of them; the program's own reader is in datasets/. */
function calibration(path: string): (name: string) => number[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return (name) => {
    const line = lines.find((candidate) => candidate.startsWith(`${name}=`));
    return (line ?? '')
      .slice(name.length + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
  };
}

/** The golden case's cameras (sample 0) from their files, at a resize factor, portrait ones turned (method 1). */
function goldenCameras(resizeFactor: number): Camera[] {
  const folder = goldenPath('data/calibrations/subject_000/seq_a');
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const read = calibration(`${folder}/${file}`);
      const one = (name: string): number => read(name)[0] ?? Number.NaN;
      const [width, height] = read('is').map((size) => Math.floor(size / resizeFactor)) as [number, number];
      const focalLength = one('f') / resizeFactor;
      const focalX = focalLength / one('x');
      const focalY = focalLength / one('y');
      const camera: Camera = {
        name: file,
        width,
        height,
        intrinsics: Float64Array.of(focalX, 0, one('a') / resizeFactor, 0, focalY, one('b') / resizeFactor, 0, 0, 1),
        extrinsics: new Float64Array(12),
        distortion: fitForwardDistortion({ k: one('K'), k2: one('K2'), focalLength, width, height, focalX, focalY }),
      };
      return height > width ? rotateCounterClockwise(camera) : camera;
    });
}

for (const [stage, resizeFactor] of [
  ['coarse', 8],
  ['refinement', 4],
] as const) {
  describe(`${stage} cameras equal the published system's`, () => {
    const cameras = goldenCameras(resizeFactor);
    test('intrinsics, portrait views turned', () => {
      assert.ok(cameras.every((camera) => camera.width > camera.height));
      assertGolden(
        `${stage}/inputs/stereo_camera_intrinsics`,
        cameras.flatMap((camera) => [...camera.intrinsics]),
      );
    });
    test('forward distortion fitted to Tsai undistortion', () => {
      assertGolden(
        `${stage}/inputs/stereo_camera_distortions`,
        cameras.flatMap((camera) => camera.distortion),
      );
    });
    test('camera centres', () => {
      const { data } = goldenArray(`${stage}/inputs/stereo_camera_extrinsics`);
      const centres = cameras.flatMap((camera, view) => {
        return cameraCentre({ ...camera, extrinsics: Float64Array.from(data.subarray(12 * view, 12 * view + 12)) });
      });
      assertGolden(`${stage}/inputs/stereo_camera_centers`, centres);
    });
  });
}

describe('projectPoints', () => {
  test('world to camera, division, distortion, intrinsics', () => {
    // Camera coordinates (x, y, z) = (30 + 10, 40 + 20, 170 + 30).
    const projected = projectPoints(pinhole, Float32Array.of(40, 170, 30));
    const squaredRadius = 0.2 ** 2 + 0.3 ** 2;
    const factor = 1 + 0.1 * squaredRadius - 0.02 * squaredRadius ** 2;
    const expected = [500 * 0.2 * factor + 2 * 0.3 * factor + 200, 510 * 0.3 * factor + 150, 200];
    projected.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-9));
    const plain = projectPoints(pinhole, Float32Array.of(40, 170, 30), { distort: false });
    assert.deepEqual(
      [...plain].map((value) => Math.round(value * 1e9) / 1e9),
      [300.6, 303, 200],
    );
  });

  test('a point in the camera plane is divided by 1, and one behind the camera is projected like any other', () => {
    const straight = { ...pinhole, distortion: [0, 0] as const };
    // Camera coordinates (20, 0, 0), and (20, 0, −100).
    assert.deepEqual([...projectPoints(straight, Float32Array.of(-20, -30, 10))], [500 * 20 + 200, 150, 0]);
    assert.deepEqual([...projectPoints(straight, Float32Array.of(-20, -130, 10))], [500 * -0.2 + 200, 150, -100]);
  });
});

test('turning a portrait picture turns its projections: column y, row W − x', () => {
  const portrait: Camera = { ...pinhole, width: 300, height: 400 };
  const turned = rotateCounterClockwise(portrait);
  const points = Float32Array.of(40, 170, 30, 0, 200, 10);
  const before = projectPoints(portrait, points);
  const after = projectPoints(turned, points);
  assert.deepEqual([turned.width, turned.height], [400, 300]);
  for (let i = 0; i < 6; i += 3) {
    assert.ok(Math.abs(after[i]! - before[i + 1]!) < 1e-9);
    assert.ok(Math.abs(after[i + 1]! - (300 - before[i]!)) < 1e-9);
  }
});

test('scaling and shifting a picture scales and shifts its projections', () => {
  const intrinsics = shiftIntrinsics(scaleIntrinsics(pinhole.intrinsics, 0.5, 0.25), -7, 3);
  const points = Float32Array.of(40, 170, 30);
  const [x, y] = projectPoints(pinhole, points);
  const [scaledX, scaledY] = projectPoints({ ...pinhole, intrinsics }, points);
  assert.ok(Math.abs(scaledX! - (0.5 * x! - 7)) < 1e-9 && Math.abs(scaledY! - (0.25 * y! + 3)) < 1e-9);
});

for (const view of [0, 1]) {
  test(`augmented view ${view} has the published system's intrinsics: scaled, then padded where it shrank`, () => {
    const plain = goldenArray('coarse/inputs/stereo_camera_intrinsics').data.slice(9 * view, 9 * view + 9);
    const scale = goldenArray(`coarse/augment/view${view}_scale_brightness`).data[0]!;
    const [padX, padY] = [200, 150].map((size) => Math.max(0, Math.floor((size - Math.round(scale * size)) / 2)));
    const augmented = shiftIntrinsics(scaleIntrinsics(Float64Array.from(plain), scale), padX!, padY!);
    assertGolden(`coarse/augment/view${view}_intrinsics`, augmented);
  });
}

describe('lookAt', () => {
  const extrinsics = lookAt([300, 50, 900], [10, -20, 30], [0, 1, 0]);
  const camera: Camera = {
    ...pinhole,
    extrinsics,
    distortion: [0, 0],
    intrinsics: Float64Array.of(500, 0, 200, 0, 500, 150, 0, 0, 1),
  };

  test('the target is in the middle, up is up, right is right', () => {
    const [x, y, z] = projectPoints(camera, Float32Array.of(10, -20, 30));
    assert.ok(Math.abs(x! - 200) < 1e-3 && Math.abs(y! - 150) < 1e-3);
    assert.ok(Math.abs(z! - Math.hypot(290, 70, 870)) < 1e-3);
    const above = projectPoints(camera, Float32Array.of(10, 0, 30));
    assert.ok(above[1]! < 149, 'a higher point has a smaller row');
    const right = projectPoints(camera, Float32Array.of(40, -20, 30));
    assert.ok(right[0]! > 201, 'seen from +z, +x is to the right');
  });

  test('the centre of a camera is where it was put', () => {
    cameraCentre(camera).forEach((value, axis) => assert.ok(Math.abs(value - [300, 50, 900][axis]!) < 1e-9));
  });

  test('looking along the up direction is refused', () => {
    assert.throws(() => lookAt([0, 100, 0], [0, 0, 0], [0, 1, 0]), /one line/);
  });
});
