import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CalibrationDefaults } from '../../../datasets/calibrations/options.js';
import { parseCalibrations } from '../../../datasets/calibrations/parseCalibrations.js';

/** What newer and older versions of programs write beside or in place of the usual fields: taken, told or refused. */
const millimetres: CalibrationDefaults = { units: 'mm', extrinsics: 'world-to-camera', imageSize: [640, 480] };

const read = (file: string, text: string, notes: string[] = []) =>
  parseCalibrations(text, file, 'camera', { ...millimetres, onNote: (note) => notes.push(note) });

describe('transforms.json', () => {
  const pose = (x: number) => [
    [1, 0, 0, x],
    [0, 1, 0, 0],
    [0, 0, 1, 1000],
    [0, 0, 0, 1],
  ];
  const usual = { w: 640, h: 480, fl_x: 500, fl_y: 500, cx: 320, cy: 240 };
  const text = (changes: object, ofFrame: object = {}) =>
    JSON.stringify({
      ...usual,
      ...changes,
      frames: ['a', 'b'].map((name, i) => ({
        file_path: `images/${name}.png`,
        transform_matrix: pose(200 * i),
        ...ofFrame,
      })),
    });

  test('nerfstudio’s applied_transform is no lens, and is reported', () => {
    const notes: string[] = [];
    const applied_transform = [
      [1, 0, 0, 0],
      [0, 0, 1, 0],
      [0, -1, 0, 0],
    ];
    const changes = { camera_model: 'OPENCV', k1: 0.01, k2: 0, p1: 0, p2: 0, applied_transform, applied_scale: 0.5 };
    const cameras = read('transforms.json', text(changes, { colmap_im_id: 3 }), notes);
    assert.deepEqual(
      cameras.map(({ name, distortion }) => [name, distortion[0]]),
      [
        ['a', 0.01],
        ['b', 0.01],
      ],
    );
    assert.match(notes.join(' '), /after applied_transform/);
  });

  test('other projections by instant-ngp’s flags and nerfstudio’s fields are refused by name', () => {
    for (const [name, value] of [
      ['is_latlong', true],
      ['is_equirectangular', 1],
      ['ftheta_p1', 0.1],
      ['distortion_params', [0.01, 0, 0, 0, 0, 0]],
      ['lens', 'fisheye'],
    ] as const) {
      assert.throws(() => read('transforms.json', text({ [name]: value })), new RegExp(name), name);
    }
    assert.equal(read('transforms.json', text({ is_latlong: false, is_fisheye: false })).length, 2);
  });

  test('Blender’s: an angle alone, and the size from the command line', () => {
    const { frames } = JSON.parse(text({})) as { frames: unknown };
    const [camera] = read('transforms.json', JSON.stringify({ camera_angle_x: 2 * Math.atan(0.64), frames }));
    assert.ok(Math.abs(camera!.focal[0] - 500) < 1e-9);
    assert.deepEqual(camera!.imageSize, [640, 480]);
  });
});

describe('Kalibr', () => {
  const camera = (name: string, model = 'radtan', more = '') =>
    `${name}:\n${more}  camera_model: pinhole\n  distortion_coeffs: [0.01, 0, 0, 0]\n  distortion_model: ${model}\n` +
    '  intrinsics: [500, 500, 320, 240]\n  resolution: [640, 480]\n';
  const step = '  T_cn_cnm1: [[1, 0, 0, 0.2], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]\n';

  test('Kalibr: with an IMU, or a line delay', () => {
    const imu = '  T_cam_imu: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]\n  timeshift_cam_imu: 0.001\n';
    const text = camera('cam0', 'radtan', `${imu}  line_delay: 2.0e-5\n`) + camera('cam1', 'radtan', step);
    assert.equal(read('camchain.yaml', text).length, 2);
  });

  test('a camera that is missing is reported: the next one stands relative to it', () => {
    const text = camera('cam0') + camera('cam2', 'radtan', step);
    assert.throws(() => read('camchain.yaml', text), /expected cam1, for .* without a gap, found "cam2"/);
  });

  for (const model of ['equidistant', 'fov', 'radtan8']) {
    test(`${model} is refused by its name`, () => {
      assert.throws(() => read('camchain.yaml', camera('cam0', model)), new RegExp(`found "${model}"`));
    });
  }
});
