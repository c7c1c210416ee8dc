import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../../configs/packageRoot.js';
import { parseAlignment } from '../../../datasets/calibrations/alignment.js';
import { convertCalibration } from '../../../datasets/calibrations/convertCalibration.js';
import { inWorld, projectDirection, type OpencvCamera } from '../../../datasets/calibrations/opencvCamera.js';
import type { CalibrationDefaults } from '../../../datasets/calibrations/options.js';
import { parseCalibrations } from '../../../datasets/calibrations/parseCalibrations.js';
import { readCalibrations, readRig, type CameraOfFile } from '../../../datasets/calibrations/readCalibrations.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { cameraFromTka, parseTka } from '../../../datasets/formats/tka.js';
import { projectPoints } from '../../../geometry/cameras/camera.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

/** Files and numbers of other programs' own libraries: `rigs/make_rigs.py` says how they were made. */
const rigs = join(packageRoot, 'test/datasets/calibrations/rigs');

interface Numbers {
  /** Where the library counts the middle of the first pixel. */
  readonly pixelCentre: number;
  /** mm. `[N][3]` */
  readonly points: readonly (readonly [number, number, number])[];
  /** px. `[N][2]` */
  readonly cameras: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const numbers = (JSON.parse(await readFile(join(rigs, 'numbers.json'), 'utf8')) as { rigs: Record<string, Numbers> })
  .rigs;

/** Where a camera, as it was read, sees a point of the world. */
function project(camera: OpencvCamera, point: readonly [number, number, number]): [number, number] {
  const { rotation: r, translation: t } = camera;
  const [x, y, z] = [0, 1, 2].map((row) => [0, 1, 2].reduce((sum, i) => sum + r[3 * row + i]! * point[i]!, t[row]!));
  return projectDirection(camera, x! / z!, y! / z!);
}

function assertProjectsAs(cameras: readonly OpencvCamera[], rig: string, all = true): void {
  const { pixelCentre, points, cameras: expected } = numbers[rig]!;
  if (all) assert.deepEqual(cameras.map(({ name }) => name).sort(), Object.keys(expected).sort());
  for (const camera of cameras) {
    const found = expected[camera.name]!;
    points.forEach((point, i) => {
      const [u, v] = project(camera, point);
      const off = Math.hypot(u - (found[i]![0] - pixelCentre), v - (found[i]![1] - pixelCentre));
      assert.ok(off < 1e-6, `${rig}, ${camera.name}, point ${i}: ${off} px off`);
    });
  }
}

const camerasOf = (found: readonly CameraOfFile[]): OpencvCamera[] => found.map(({ camera }) => camera);

const metres: CalibrationDefaults = { units: 'm', extrinsics: 'world-to-camera' };

describe('a rig in the files of other programs projects as their own libraries do', () => {
  for (const form of ['yml', 'xml', 'json', 'yml.gz', 'xml.gz']) {
    test(`OpenCV's storage as .${form}, rotation and translation as CV_64FC3`, async () => {
      const folder = join(rigs, 'opencv', form.replace('.', '_'));
      const names = Object.keys(numbers['opencv']!.cameras);
      const cameras = await Promise.all(names.map((name) => readCalibrations(join(folder, `${name}.${form}`), metres)));
      assertProjectsAs(cameras.flat(), 'opencv');
    });
  }

  test("OpenCV 5's storage of NumPy's arrays of one dimension, in all its forms", async () => {
    const names = { left_A: 'yml', right_B: 'xml', top_C: 'json', front_A: 'yaml' };
    const files = Object.entries(names).map(([name, form]) => join(rigs, 'opencv/arrays', `${name}.${form}`));
    assertProjectsAs(camerasOf(await readRig(files, metres)), 'opencv');
  });

  test("OpenCV's stereo pair, whose lenses are in one file and whose pose is in another", async () => {
    const [lenses, pose] = ['intrinsics', 'extrinsics'].map((name) => join(rigs, `opencv/stereo/${name}.yml`));
    const notes: string[] = [];
    const told = { units: 'm', imageSize: [1600, 1200], onNote: (note: string) => void notes.push(note) } as const;
    for (const files of [
      [lenses!, pose!],
      [pose!, lenses!],
    ]) {
      assertProjectsAs(camerasOf(await readRig(files, told)), 'stereo');
    }
    assert.match(notes[0]!, /a stereo pair: cameras 1 and 2, .* the world is that of 1: move it to the head/);
    await assert.rejects(readRig([lenses!], told), /intrinsics\.yml: expected the pose of camera 1 .*name the file/);
    await assert.rejects(
      readRig([pose!], told),
      /extrinsics\.yml: expected the camera matrices as well .*name the file/,
    );
    // The same in one file, by other names.
    const renamed: Record<string, string> = {
      M1: 'K_left',
      D1: 'distCoeffsLeft',
      M2: 'K_right',
      D2: 'distCoeffsRight',
    };
    const texts = await Promise.all([lenses!, pose!].map((file) => readFile(file, 'utf8')));
    const text = texts.join('').replace(/(?<=---[^]*)%YAML[^\n]*\n---/, '');
    const whole = text.replace(/^[MD][12](?=:)/gm, (name) => renamed[name]!);
    const cameras = parseCalibrations(whole, 'stereo.yml', 'stereo', told);
    assert.deepEqual(
      cameras.map(({ name, distortion }) => [name, distortion[0]]),
      [
        ['left', -0.21],
        ['right', -0.18],
      ],
    );
  });

  test("EasyMocap's intri.yml and extri.yml, whose fields carry the cameras' names", async () => {
    const files = ['extri', 'intri'].map((name) => join(rigs, 'easymocap', `${name}.yml`));
    assertProjectsAs(camerasOf(await readRig(files, { units: 'm', imageSize: [1600, 1200] })), 'easymocap');
  });

  test("multical's calibration, whose poses are by one camera", async () => {
    const file = join(rigs, 'multical/calibration.json');
    assertProjectsAs(await readCalibrations(file, { units: 'm' }), 'multical');
    const text = await readFile(file, 'utf8');
    const two = text.replace('"top_C_to_left_A"', '"top_C_to_right_B"');
    assert.throws(
      () => parseCalibrations(two, file, 'x', { units: 'm' }),
      /all poses by one camera .*left_A and by right_B/,
    );
    const none = text.replace('"top_C_to_left_A"', '"top_C_to_nobody"');
    assert.throws(() => parseCalibrations(none, file, 'x', { units: 'm' }), /camera_poses\.top_C: .*found "nothing"/);
  });

  for (const form of ['text', 'binary']) {
    test(`COLMAP, ${form}: all models that the networks come near to`, async () => {
      assertProjectsAs(await readCalibrations(join(rigs, 'colmap', form), { units: 'm' }), 'colmap');
    });

    test(`COLMAP, ${form}: a rig, whose images are called SEQUENCE.FRAME.CAMERA`, async () => {
      const file = form === 'text' ? 'rig_text/images.txt' : 'rig_binary/cameras.bin';
      assertProjectsAs(await readCalibrations(join(rigs, 'colmap', file), { units: 'm' }), 'colmapRig');
    });
  }

  test('CMU Panoptic, whose unit is the centimetre', async () => {
    assertProjectsAs(await readCalibrations(join(rigs, 'panoptic/calibration.json'), {}), 'panoptic');
  });

  test("Kalibr's camera chain", async () => {
    assertProjectsAs(await readCalibrations(join(rigs, 'kalibr/camchain.yaml'), {}), 'kalibr');
  });

  for (const file of ['transforms.json', 'nerfstudio.json']) {
    test(`${file} of instant-ngp or nerfstudio`, async () => {
      assertProjectsAs(await readCalibrations(join(rigs, 'transforms', file), { units: 'm' }), 'transforms');
    });
  }

  test('Metashape, with terms that OpenCV does not have', async () => {
    const notes: string[] = [];
    const onNote = (note: string): void => void notes.push(note);
    const cameras = await readCalibrations(join(rigs, 'metashape/cameras.xml'), { onNote });
    assertProjectsAs(cameras, 'metashape');
    assert.match(notes.join('\n'), /left out, for they are not aligned, or disabled: "not_aligned"/);
    const { approximated } = convertCalibration(cameras.find(({ name }) => name === 'front_A')!);
    assert.deepEqual(approximated, ['p1', 'p2', 'k3', 'K4', 'P3', 'P4', 'B2']);
  });

  test('PhotoScan 1.2: focal lengths, principal point and tangential terms as they were before Metashape', async () => {
    assertProjectsAs(await readCalibrations(join(rigs, 'metashape/photoscan.xml'), {}), 'metashape');
    const text = await readFile(join(rigs, 'metashape/photoscan.xml'), 'utf8');
    const moved = text.replaceAll('<cx>812.75</cx>', '<cx>12.75</cx>');
    const expected = /a principal point near the picture's middle .*Metashape 1\.4 or later .*found 12\.75, 588/;
    assert.throws(() => parseCalibrations(moved, 'x.xml', 'x', {}), expected);
  });

  test('what is written for the reader projects there as well, within the residual that is reported', async () => {
    for (const camera of await readCalibrations(join(rigs, 'colmap/binary'), { units: 'm' })) {
      const { tka, residual } = convertCalibration(camera);
      const { points, cameras, pixelCentre } = numbers['colmap']!;
      const read = cameraFromTka(parseTka(tka, camera.name), 1, camera.name);
      points.forEach((point, i) => {
        const [u, v] = projectPoints(read, Float64Array.from(point));
        const [x, y] = cameras[camera.name]![i]!;
        const off = Math.hypot(u! - x + pixelCentre, v! - y + pixelCentre);
        assert.ok(off < residual.max * 1.05 + 1e-6, `${camera.name}: ${off} px, but ${residual.max}`);
      });
    }
  });

  test('a reconstruction without scale has to be told its unit, in millimetres if need be', async () => {
    for (const path of ['colmap/text', 'transforms/transforms.json']) {
      await assert.rejects(readCalibrations(join(rigs, path), {}), /the units of the translations: --units .*--scale/);
      const [one] = await readCalibrations(join(rigs, path), { units: 'm' });
      const [other] = await readCalibrations(join(rigs, path), { units: 250 });
      one!.translation.forEach((value, i) => assert.ok(Math.abs(value / 4 - other!.translation[i]!) < 1e-9));
    }
  });
});

test('a matrix takes the cameras to the world of the scans: a point that goes with them is seen where it was', async () => {
  const matrix = '0 500 0 10\n0 0 -500 20\n-500 0 0 30\n0 0 0 1\n';
  const { units, origin, axes } = parseAlignment(matrix, 'matrix.txt');
  // Also of a file that states a unit of its own.
  const files = ['transforms/transforms.json', 'kalibr/camchain.yaml'];
  for (const [file, rig] of files.map((name) => [name, name.split('/')[0]!] as const)) {
    const { points, cameras: expected, pixelCentre } = numbers[rig]!;
    for (const camera of await readCalibrations(join(rigs, file), { units })) {
      points.forEach(([x, y, z], i) => {
        const moved = [y / 2 + 10, -z / 2 + 20, -x / 2 + 30] as const;
        const [u, v] = project(inWorld(camera, origin, axes), moved);
        const [seenU, seenV] = expected[camera.name]![i]!;
        assert.ok(Math.hypot(u - seenU + pixelCentre, v - seenV + pixelCentre) < 1e-6);
      });
    }
  }
  for (const bad of ['1 2 3', matrix.replace('-500 20', '-400 20'), matrix.replace('0 500', 'x 500')]) {
    assert.throws(() => parseAlignment(bad, 'matrix.txt'), /matrix\.txt: expected .*found/);
  }
});

describe('cameras by their images', () => {
  test('two images of a camera that do not agree are refused, with how far they are apart', async () => {
    const folder = temporaryFolder();
    await copyFile(join(rigs, 'colmap/text/cameras.txt'), join(folder, 'cameras.txt'));
    const text = await readFile(join(rigs, 'colmap/text/images.txt'), 'utf8');
    const moments = text.replace('SIMPLE_PINHOLE.png', 'a/0001.png').replace(' PINHOLE.png', ' b/0001.png');
    await writeFile(join(folder, 'images.txt'), moments);
    await assert.rejects(
      readCalibrations(folder, { units: 'm' }),
      /camera 0001: expected one pose and one lens .*--camera-name.*found another lens.* between a\/0001\.png and b\/0001/,
    );
    const cameraName = /([^/]+)(?:\/\d+)?\.png$/;
    const cameras = await readCalibrations(folder, { units: 'm', cameraName });
    assert.deepEqual(
      cameras.slice(0, 2).map(({ name }) => name),
      ['a', 'b'],
    );
  });

  test('a name that no file can have is refused', async () => {
    const text = await readFile(join(rigs, 'transforms/transforms.json'), 'utf8');
    assert.throws(
      () => parseCalibrations(text.replace('left_A.png', 'left A?.png'), 'x.json', 'x', { units: 'm' }),
      /frames\[0\]\.file_path: expected an image that is called as its camera.*--camera-name/,
    );
  });

  test('for a folder above the model the error says where the model lies', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, '0'));
    for (const name of ['cameras.bin', 'images.bin'])
      await copyFile(join(rigs, 'colmap/binary', name), join(folder, '0', name));
    await assert.rejects(readCalibrations(folder, { units: 'm' }), /a model of COLMAP.*none here, but one in .*0$/);
  });
});

describe('files that are not what they say', () => {
  test('binary models cut at any byte, or with enormous counts, are refused in a moment', async () => {
    const folder = temporaryFolder();
    for (const name of ['cameras.bin', 'images.bin'] as const) {
      const whole = {
        'cameras.bin': join(rigs, 'colmap/binary/cameras.bin'),
        'images.bin': join(rigs, 'colmap/binary/images.bin'),
      };
      for (const other of ['cameras.bin', 'images.bin'] as const) await copyFile(whole[other], join(folder, other));
      const bytes = await readFile(whole[name]);
      for (let length = 0; length < bytes.length; length += 7) {
        await writeFile(join(folder, name), bytes.subarray(0, length));
        await assert.rejects(readCalibrations(folder, { units: 'm' }), FormatError);
      }
      const counted = Buffer.from(bytes);
      counted.writeBigUInt64LE(2n ** 63n, 0);
      await writeFile(join(folder, name), counted);
      await assert.rejects(
        readCalibrations(folder, { units: 'm' }),
        /byte 8: expected Infinity (cameras|images), found \d+ bytes/,
      );
    }
  });

  test('gzip that inflates without end, XML that nests without end: refused within their budgets', async () => {
    const folder = temporaryFolder();
    const bomb = join(folder, 'x.yml.gz');
    await writeFile(bomb, gzipSync(Buffer.alloc(64e6)));
    // Of the processor: on a busy machine the clock says nothing about the reading.
    const start = process.cpuUsage();
    await assert.rejects(readCalibrations(bomb, metres), /gzip of at most \d+ bytes/);
    for (const text of [
      '<a>'.repeat(100_000),
      '<'.repeat(1e6),
      `<document ${'x="1" '.repeat(100_000)}/>`,
      `<document>${'&amp;'.repeat(200_000)}</document>`,
      `<document>${'<a/>'.repeat(300_000)}</document>`,
    ]) {
      assert.throws(() => parseCalibrations(text, 'x.xml', 'x', metres), FormatError);
    }
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 4_000_000, `${(user + system) / 1000} ms`);
  });
});
