import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { cameraFromTka, formatTka, parseTka } from '../../../datasets/formats/tka.js';
import { cameraCentre, rotateCounterClockwise, type Camera } from '../../../geometry/cameras/camera.js';
import { assertGolden, goldenPath } from '../../support/golden/golden.js';

const names = ['00_A', '00_B', '01_A', '01_B'];
const folder = 'data/calibrations/subject_000/seq_a';
const text = (name: string): string => readFileSync(goldenPath(`${folder}/${name}.tka`), 'utf8');

function cameras(resizeFactor: number): Camera[] {
  return names.map((name) => {
    const camera = cameraFromTka(parseTka(text(name), `${name}.tka`), resizeFactor, name);
    return camera.height > camera.width ? rotateCounterClockwise(camera) : camera;
  });
}

describe('tka: a calibration becomes the camera that the published system makes of it', () => {
  for (const [stage, resizeFactor] of [
    ['coarse', 8],
    ['refinement', 4],
  ] as const) {
    test(`${stage}: intrinsics, extrinsics, distortions, centres`, () => {
      const views = cameras(resizeFactor);
      const of = (part: (camera: Camera) => Iterable<number>): number[] => views.flatMap((view) => [...part(view)]);
      assertGolden(
        `${stage}/inputs/stereo_camera_intrinsics`,
        of((view) => view.intrinsics),
      );
      assertGolden(
        `${stage}/inputs/stereo_camera_extrinsics`,
        of((view) => view.extrinsics),
      );
      assertGolden(`${stage}/inputs/stereo_camera_centers`, of(cameraCentre));
      // Coefficients of very different size: each is compared on its own scale.
      assertGolden(
        `${stage}/inputs/stereo_camera_distortions`,
        of((view) => view.distortion),
      );
      assert.deepEqual(
        views.map((view) => [view.width, view.height]),
        views.map(() => [1600 / resizeFactor, 1200 / resizeFactor]),
      );
    });
  }

  test('the second radial coefficient agrees to float32 too', () => {
    const golden = [-2.9950972e-6, -3.3467106e-6, -7.9368874e-6, -7.7350369e-6];
    cameras(8).forEach((camera, view) => {
      assert.ok(
        Math.abs(camera.distortion[1] / golden[view]! - 1) < 1e-4,
        `${camera.distortion[1]} is not ${golden[view]}`,
      );
    });
  });
});

describe('tka: what a file may look like', () => {
  test('spaces around "=", Windows line ends and a byte order mark change nothing', () => {
    const expected = parseTka(text('00_A'), 'a');
    const spaced = `\ufeff${text('00_A').replace(/=\s*/g, ' = ').replaceAll('\n', '\r\n')}`;
    assert.deepEqual(parseTka(spaced, 'a'), expected);
    assert.deepEqual(parseTka(text('00_A').replace(/=\s*/g, '='), 'a'), expected);
  });

  test('what is written reads as the same camera', () => {
    for (const name of names) {
      const calibration = parseTka(text(name), name);
      assert.deepEqual(parseTka(formatTka(calibration), name), calibration);
      assert.equal(formatTka(calibration).split('\n')[4], text(name).split('\n')[4]);
    }
  });

  const broken: [string, (whole: string) => string, RegExp][] = [
    ['an empty file', () => '', /line 2.*rotation.*nothing/],
    ['a file cut short', (whole) => whole.slice(0, whole.indexOf('a=')), /expected a line "is = …", found only X, Y/],
    ['a number that is none', (whole) => whole.replace('f= 13', 'f= 1e'), /line 8.*"f".*1e\.538575/],
    ['NaN', (whole) => whole.replace(/X= .*/, 'X= nan'), /line 5.*"X".*nan/],
    ['a rotation row of two numbers', (whole) => whole.replace('0.236239484 ', ''), /line 2.*row 1 of the rotation/],
    ['a matrix that is no rotation', (whole) => whole.replace('0.236239484', '0.936239484'), /orthonormal/],
    [
      'a mirrored rotation',
      (whole) => whole.replace(/^(\S+) (\S+) (\S+) $/m, (row) => row.replace(/\S+/g, (n) => `${-Number(n)}`)),
      /determinant 1/,
    ],
    ['a focal length of zero', (whole) => whole.replace(/f= .*/, 'f= 0'), /"f" above 0, found 0/],
    ['an image of half a pixel', (whole) => whole.replace('is= 1600', 'is= 0.5'), /whole pixels.*found 0.5 1200/],
    ['a key twice', (whole) => `${whole}X= 1\n`, /line 18: expected "X" once/],
    ['other text', (whole) => `${whole}hello\n`, /line 18: expected "key = value", found "hello"/],
  ];
  for (const [what, change, message] of broken) {
    test(`${what} is refused by name and line`, () => {
      assert.throws(
        () => parseTka(change(text('00_A')), 'rig/00_A.tka'),
        (error: unknown) => {
          assert.ok(error instanceof FormatError);
          assert.match(error.message, message);
          assert.match(error.message, /^rig\/00_A\.tka/);
          return true;
        },
      );
    });
  }

  test('no text makes anything but a FormatError', () => {
    const lines = text('00_A').split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.string(), (index, replacement) => {
        const changed = lines.with(index, replacement).join('\n');
        try {
          const calibration = parseTka(changed, 'x');
          assert.ok(calibration.focalLength > 0);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});
