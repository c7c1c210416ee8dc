import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CalibrationDefaults } from '../../../datasets/calibrations/options.js';
import { parseCalibrations } from '../../../datasets/calibrations/parseCalibrations.js';
import { FormatError } from '../../../datasets/formats/formatError.js';

/** As `cv::FileStorage` of OpenCV 4 writes it. */
const opencvYaml = `%YAML:1.0
---
calibration_time: "Mon 02 Nov 2026 10:00:00"
image_width: 1600
image_height: 1200
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 2.0000000000000000e+03, 0., 8.1000000000000000e+02, 0.,
       1.9900000000000000e+03, 5.9000000000000000e+02, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -1.0000000000000001e-01, 2.0000000000000000e-02, 1.0e-03, -5.0e-04, .1 ]
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1., 0., 0., 0., 0., -1., 0., 1., 0. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ 1.0e-01, 2.0e-01, 1. ]
`;
const stated: CalibrationDefaults = { units: 'm', extrinsics: 'world-to-camera' };
const rows = [
  [1, 0, 0],
  [0, 0, -1],
  [0, 1, 0],
];
const json = {
  name: 'left_A',
  image_size: [1600, 1200],
  camera_matrix: [
    [2000, 0, 810],
    [0, 1990, 590],
    [0, 0, 1],
  ],
  dist_coeffs: [-0.1, 0.02, 0.001, -0.0005, 0.1],
  R: rows,
  t: [10, 20, 100],
  units: 'cm',
  extrinsics: 'world-to-camera',
};
const parse = (value: unknown, defaults: CalibrationDefaults = {}) =>
  parseCalibrations(JSON.stringify(value), 'rig.json', 'rig', defaults);

describe('calibrations of an own rig', () => {
  test('what OpenCV writes as YAML reads as what stands in it, in millimetres', () => {
    const [camera, ...more] = parseCalibrations(opencvYaml, 'rig/left_A.yml', 'left_A', stated);
    assert.equal(more.length, 0);
    assert.deepEqual(camera, {
      name: 'left_A',
      imageSize: [1600, 1200],
      focal: [2000, 1990],
      principalPoint: [810, 590],
      distortion: Float64Array.of(-0.1, 0.02, 0.001, -0.0005, 0.1, 0, 0, 0, 0, 0, 0, 0),
      rotation: Float64Array.from(rows.flat()),
      translation: [100, 200, 1000],
    });
  });

  test('JSON, another unit, a 4 × 4 matrix, a Rodrigues vector, or camera-to-world: the same camera', () => {
    const [expected] = parseCalibrations(opencvYaml, 'a', 'left_A', stated);
    const { R, t, ...optics } = json;
    assert.deepEqual(parse(json), [expected]);
    const whole = [...rows.map((row, i) => [...row, t[i]]), [0, 0, 0, 1]];
    assert.deepEqual(parse({ ...optics, transform: whole }), [expected]);
    // Camera to world: Rᵀ, and the centre −Rᵀ t.
    const back = { R: [0, 1, 2].map((i) => R.map((row) => row[i])), t: [-10, -100, 20] };
    const [camera] = parse({ ...optics, ...back, extrinsics: 'camera_to_world' });
    assert.deepEqual(camera!.rotation, expected!.rotation);
    camera!.translation.forEach((value, i) => assert.ok(Math.abs(value - expected!.translation[i]!) < 1e-9));
    const [turned] = parse({ ...optics, t, rvec: [Math.PI / 2, 0, 0] });
    turned!.rotation.forEach((value, i) => assert.ok(Math.abs(value - expected!.rotation[i]!) < 1e-15));
  });

  test('several cameras in a file: by name, as a list, and with what they share beside them', () => {
    const { name: _, units, extrinsics, image_size, ...own } = json;
    const shared = { units, extrinsics, image_size };
    const [expected] = parse(json);
    const cameras = (names: readonly string[]) => names.map((each) => ({ ...expected, name: each }));
    const two = cameras(['a_A', 'b_B']);
    assert.deepEqual(parse({ ...shared, cameras: { a_A: own, b_B: own } }), two);
    assert.deepEqual(parse({ ...shared, a_A: own, b_B: own }), two);
    assert.deepEqual(parse({ ...shared, cameras: two.map((camera) => ({ ...own, name: camera.name })) }), two);
    assert.deepEqual(parse(own, { units: 'cm', extrinsics: 'world-to-camera', imageSize: [1600, 1200] }), [
      { ...expected, name: 'rig' },
    ]);
  });

  test('calibrations of an own rig: of images that were undistorted nothing is asked of the lens, which OpenCV alone may know', () => {
    const [plain] = parse({ ...json, distortion_model: undefined }, { undistorted: true });
    assert.deepEqual(plain?.distortion, new Float64Array(12));
    assert.deepEqual(parse({ ...json, distortion_model: 'equidistant', D: [1, 2, 3] }, { undistorted: true }), [plain]);
  });

  test('the lens is found under every name that programs give it, or each coefficient by its own', () => {
    const { dist_coeffs, camera_matrix: _, ...rest } = json;
    const [expected] = parse(json);
    for (const name of ['distCoef', 'dist_coef', 'kc', 'D', 'distCoeffs']) {
      assert.deepEqual(parse({ ...json, dist_coeffs: undefined, [name]: dist_coeffs }), [expected], name);
    }
    const [k1, k2, p1, p2, k3] = dist_coeffs;
    const optics = { fx: 2000, fy: 1990, cx: 810, cy: 590 };
    assert.deepEqual(parse({ ...rest, ...optics, k1, k2, p1, p2, k3 }), [expected]);
    const { R, t, ...others } = rest;
    const grouped = { intrinsics: optics, distortion: { model: 'opencv', k1, k2, p1, p2, k3 }, extrinsics: { R, t } };
    assert.deepEqual(parse({ ...others, ...grouped }, { extrinsics: 'world-to-camera' }), [expected]);
  });

  test("a rig in CMU Panoptic's shape: the lens under distCoef, the translation as a column", () => {
    const camera = { name: '00_00', type: 'hd', resolution: [1600, 1200], panel: 0, node: 0, K: json.camera_matrix };
    const rig = { ...camera, distCoef: json.dist_coeffs, R: rows, t: [[10], [20], [100]] };
    const notes: string[] = [];
    const defaults = {
      units: 'cm',
      extrinsics: 'world-to-camera',
      onNote: (note: string) => notes.push(note),
    } as const;
    const cameras = parse({ calibDataSource: 'rig', cameras: [rig] }, defaults);
    assert.deepEqual(cameras, parse({ ...json, name: '00_00' }));
    assert.deepEqual(notes, ['rig.json: not used: "calibDataSource", "type", "panel", "node".']);
  });

  test('matrices of several channels, as CV_64FC3', () => {
    const tvec = { type_id: 'opencv-matrix', rows: 1, cols: 1, dt: '3d', data: [10, 20, 100] };
    assert.deepEqual(parse({ ...json, t: undefined, tvec }), parse(json));
  });

  test('what is left out is reported, and what says that there is no lens is no lens', () => {
    const notes: string[] = [];
    const harmless = {
      fisheye_model: 0,
      is_fisheye: false,
      xi: 0,
      serial: 'A-17',
      distance: 1.2,
      projection_matrix: [...Array<number>(12).keys()],
      per_view_reprojection_errors: { rows: 5, cols: 1, dt: 'd', data: [0.1, 0.2, 0.1, 0.2, 0.3] },
    };
    assert.deepEqual(parse({ ...json, ...harmless }, { onNote: (note) => notes.push(note) }), parse(json));
    assert.match(notes.join(), /rig\.json: not used: "xi", "serial", "distance", .*"per_view_reprojection_errors"\./);
  });

  const lenses: [string, object, RegExp][] = [
    ["a fisheye by OpenCV's flag", { fisheye_model: 1 }, /fisheye_model: .*usual model.*--undistorted.*found 1/],
    ['a fisheye by a flag', { is_fisheye: true }, /is_fisheye: .*found true/],
    ['a model by a word of another field', { type: 'KANNALA_BRANDT4' }, /type: .*found "KANNALA_BRANDT4"/],
    ['a model that is not known', { lensModel: 'brown7' }, /lensModel: .*not understood.*--ignore lensModel/],
    ['coefficients by an unknown name', { lensCoefs: [0.1, 0, 0, 0] }, /lensCoefs: .*may be of the lens.*--ignore/],
    ['numbers that look like coefficients', { extra: [-0.2, 0.1, 0, 0, 0.05] }, /extra: .*found a list of 5/],
    ['coefficients in a map', { sensor: { dist: { k1: -0.2 } } }, /sensor\.dist: .*may be of the lens/],
    ['a tangential term called like a matrix', { P1: 0.001 }, /P1: .*may be of the lens/],
    ['coefficients whose names have a dash', { k_1: -0.25 }, /k_1: .*may be of the lens/],
    ['an omnidirectional mirror', { xi: 0.9 }, /xi: .*may be of the lens/],
    [
      'coefficients twice',
      { k1: -0.1 },
      /dist_coeffs: expected coefficients as a list, or each by its name, found both/,
    ],
  ];
  for (const [what, change, message] of lenses) {
    test(`a lens that is not understood is refused by its field: ${what}`, () => {
      assert.throws(() => parse({ ...json, ...change }), message);
      const [field] = Object.keys(change);
      // Of images that are undistorted, or where the file's owner says so, it may be left out.
      const undistorted = parse({ ...json, ...change }, { undistorted: true });
      assert.deepEqual(undistorted[0]!.distortion, new Float64Array(12));
      assert.deepEqual(parse({ ...json, ...change }, { ignored: [field!] }), parse(json));
    });
  }

  const broken: [string, object | string, RegExp][] = [
    ['units that are not said', { units: undefined }, /rig\.json: expected the units .*--units.*found none/],
    ['a direction that is not said', { extrinsics: undefined }, /world-to-camera.*camera-to-world.*found nothing/],
    ['an unknown unit', { units: 'inch' }, /units: expected mm or cm or m, found "inch"/],
    ['no image size', { image_size: undefined }, /image size.*--image-size.*found none/],
    ['half a pixel', { image_size: [1600.5, 1200] }, /whole pixels.*1600\.5 × 1200/],
    ['a fisheye lens', { distortion_model: 'equidistant' }, /distortion_model: expected .*plumb_bob.*"equidistant"/],
    ['three coefficients', { dist_coeffs: [1, 2, 3] }, /dist_coeffs: expected 4, 5, 8.*found 3/],
    ['a tilted sensor', { dist_coeffs: [...Array<number>(13).fill(0), 0.1] }, /tilted sensor.*0, 0\.1/],
    ['skew', { camera_matrix: [2000, 5, 810, 0, 1990, 590, 0, 0, 1] }, /camera_matrix: expected no skew.*found 5/],
    ['a matrix by columns', { camera_matrix: [2000, 0, 0, 0, 1990, 0, 810, 590, 1] }, /\[fx 0 cx.*found \[2000 0 0/],
    ['a mirrored rotation', { R: [-1, 0, 0, 0, 0, -1, 0, 1, 0] }, /R: expected a rotation.*mirrors \(determinant −1\)/],
    ['a rotation that scales', { R: [2, 0, 0, 0, 0, -2, 0, 2, 0] }, /lengths 2\.000, 2\.000, 2\.000: it scales/],
    ['two rotations', { rvec: [0, 0, 0] }, /expected one of .*found R and rvec/],
    ['a word for a number', { t: [1, 'x', 3] }, /t\[1\]: expected a finite number, found "x"/],
    [
      'rows of unlike length',
      {
        R: [
          [1, 0, 0],
          [0, 1],
          [0, 0, 1],
        ],
      },
      /R\[1\]: expected 3 numbers.*found 2/,
    ],
    ['no camera at all', '{"hello": 1}', /expected a camera matrix.*found "hello"/],
    ['a list', '[1, 2]', /expected a map of settings, found a list of 2/],
    ['no YAML', 'a: [1, 2', /expected YAML as OpenCV writes it, or JSON/],
    ['a bomb of aliases', `a: &a [1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\n`, /alias/],
    ['nan', opencvYaml.replace('.1 ]', '.Nan ]'), /distortion_coefficients\.data\[4\]: expected a finite number/],
    ['rows and cols that lie', opencvYaml.replace('cols: 5', 'cols: 4'), /rows × cols numbers in data, found 5/],
  ];
  for (const [what, change, message] of broken) {
    test(`${what} is refused by file and field`, () => {
      const text = typeof change === 'string' ? change : JSON.stringify({ ...json, name: undefined, ...change });
      assert.throws(
        () => parseCalibrations(text, 'rig.json', 'left_A', text.startsWith('%') ? stated : {}),
        (error: unknown) => {
          assert.ok(error instanceof FormatError, String(error));
          assert.match(error.message, message);
          assert.match(error.message, /^rig\.json/);
          return true;
        },
      );
    });
  }

  test('a name that would be a path is refused', () => {
    for (const name of ['../x', 'a/b', '', 'a.b', '__proto__']) {
      const cameras = `{"units":"mm","extrinsics":"w2c","cameras":[${JSON.stringify({ ...json, name })}]}`;
      assert.throws(() => parseCalibrations(cameras, 'x', 'x', {}), /a name of letters/);
    }
  });

  test('no text makes anything but cameras with finite numbers, or a FormatError', () => {
    const acceptable = (text: string): void => {
      try {
        for (const camera of parseCalibrations(text, 'x', 'x', stated)) {
          const numbers = [...camera.focal, ...camera.principalPoint, ...camera.rotation, ...camera.translation];
          assert.ok(numbers.every(Number.isFinite) && camera.focal.every((value) => value > 0));
        }
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    };
    const lines = opencvYaml.split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.string(), (i, text) => acceptable(lines.with(i, text).join('\n'))),
    );
    fc.assert(
      fc.property(fc.nat(opencvYaml.length), fc.string(), (cut, end) => acceptable(opencvYaml.slice(0, cut) + end)),
    );
    const keys = fc.constantFrom(...Object.keys(json), 'cameras', '__proto__', 'rvec');
    fc.assert(fc.property(keys, fc.jsonValue(), (key, value) => acceptable(JSON.stringify({ ...json, [key]: value }))));
    acceptable('['.repeat(100_000));
    acceptable(`{"a":${'['.repeat(100_000)}`);
  });
});
