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
import { readCalibrations } from '../../../datasets/calibrations/readCalibrations.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { cameraFromTka, parseTka } from '../../../datasets/formats/tka.js';
import { projectPoints } from '../../../geometry/cameras/camera.js';
import { temporaryFolder } from '../reader/goldenFolder.js';

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

  test('what is written for the reader projects there as well, within the residual that is told', async () => {
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

describe('a lens that the networks do not have is refused by its name', () => {
  test('COLMAP: every other model, with the number of parameters that COLMAP has', async (context) => {
    const models = JSON.parse(await readFile(join(rigs, 'colmap/models.json'), 'utf8')) as Record<
      string,
      { number: number; parameters: number }
    >;
    const folder = await temporaryFolder(context);
    const images = join(rigs, 'colmap/text/images.txt');
    await copyFile(images, join(folder, 'images.txt'));
    for (const [name, { parameters }] of Object.entries(models)) {
      const values = Array.from({ length: parameters }, (_, i) => (i < 4 ? 900 : 0.01)).join(' ');
      const lines = Array.from({ length: 6 }, (_, i) => `${i + 1} ${name} 1600 1200 ${values}`);
      await writeFile(join(folder, 'cameras.txt'), lines.join('\n'));
      const reading = readCalibrations(folder, { units: 'm' });
      if (/^(SIMPLE_)?(PINHOLE|RADIAL)$|^(FULL_)?OPENCV$/.test(name)) assert.equal((await reading).length, 6, name);
      else await assert.rejects(reading, new RegExp(`cameras\\.txt, camera 1: .*undistort.*found ${name}$`), name);
    }
    await writeFile(join(folder, 'cameras.txt'), '1 NEW_MODEL 1600 1200 1 2 3');
    await assert.rejects(readCalibrations(folder, { units: 'm' }), /line 1: expected a camera model .*found NEW_MODEL/);
  });

  const changed = async (
    file: string,
    change: (text: string) => string,
    defaults: CalibrationDefaults = { units: 'm' },
  ) => {
    const text = await readFile(join(rigs, file), 'utf8');
    const other = change(text);
    assert.notEqual(other, text);
    return () => parseCalibrations(other, file, 'x', defaults);
  };

  const lenses: [string, string, (text: string) => string, RegExp][] = [
    [
      'transforms.json by a flag',
      'transforms/transforms.json',
      (t) => t.replace('"is_fisheye": false', '"is_fisheye": true'),
      /is_fisheye: .*found true/,
    ],
    [
      'transforms.json by a model',
      'transforms/nerfstudio.json',
      (t) => t.replace('"OPENCV"', '"OPENCV_FISHEYE"'),
      /camera_model: .*found "OPENCV_FISHEYE"/,
    ],
    [
      'transforms.json by a further term',
      'transforms/transforms.json',
      (t) => t.replace('"k4": 0', '"k4": 0.01'),
      /k4: .*different ways, found 0\.01/,
    ],
    [
      'transforms.json by a field',
      'transforms/transforms.json',
      (t) => t.replace('"aabb_scale"', '"ftheta_p1": 0.1, "aabb_scale"'),
      /ftheta_p1: .*may be of the lens/,
    ],
    [
      'Kalibr, equidistant',
      'kalibr/camchain.yaml',
      (t) => t.replace('radtan', 'equidistant'),
      /cam0\.distortion_model: .*found "equidistant"/,
    ],
    ['Kalibr, omni', 'kalibr/camchain.yaml', (t) => t.replace('pinhole', 'omni'), /cam0\.camera_model: .*found "omni"/],
    [
      'Metashape, fisheye',
      'metashape/cameras.xml',
      (t) => t.replace('label="camera 1" type="frame"', 'label="camera 1" type="fisheye"'),
      /sensor "camera 1": expected a frame camera.*found "fisheye"/,
    ],
    [
      'Metashape, an unknown term',
      'metashape/cameras.xml',
      (t) => t.replace('<k3>', '<k9>1</k9><k3>'),
      /expected terms of a frame camera .*found k9/,
    ],
    [
      "OpenCV's storage",
      'opencv/xml/left_A.xml',
      (t) => t.replace('<fisheye_model>0', '<fisheye_model>1'),
      /fisheye_model: .*found 1/,
    ],
    [
      'Panoptic',
      'panoptic/calibration.json',
      (t) => t.replaceAll('"distCoef"', '"distCoefs2"'),
      /distCoefs2: .*may be of the lens/,
    ],
  ];
  for (const [what, file, change, message] of lenses) {
    test(what, async () => {
      const extrinsics = 'world-to-camera';
      assert.throws(await changed(file, change, { units: 'm', extrinsics }), message);
    });
  }

  const broken: [string, string, (text: string) => string, RegExp][] = [
    [
      'a pose that mirrors',
      'transforms/transforms.json',
      (t) => t.replace(/"transform_matrix": \[\s*\[\s*[-\d.e]+/, '"transform_matrix": [[5'),
      /a rotation matrix/,
    ],
    [
      'a chain with a gap',
      'kalibr/camchain.yaml',
      (t) => t.replace('T_cn_cnm1', 'T_other'),
      /cam1: expected the transform from the camera before/,
    ],
    [
      'a Metashape file without aligned cameras',
      'metashape/cameras.xml',
      (t) => t.replace(/<camera [^]*<\/camera>/, ''),
      /cameras that are aligned/,
    ],
    [
      'a document type',
      'metashape/cameras.xml',
      (t) => t.replace('<document', '<!DOCTYPE x [<!ENTITY a "b">]><document'),
      /without a document type/,
    ],
    [
      'XML that is cut short',
      'metashape/cameras.xml',
      (t) => t.slice(0, 2000),
      /cameras\.xml, line \d+: expected XML, found/,
    ],
    [
      'XML of another program',
      'metashape/cameras.xml',
      (t) => t.replaceAll('document', 'BlocksExchange'),
      /expected OpenCV's storage .*found "BlocksExchange"/,
    ],
    [
      'geographic coordinates',
      'metashape/cameras.xml',
      (t) => t.replace(/(<translation[^>]*>)[^<]*/, '$14e6 1e6 5e6'),
      /found geographic/,
    ],
  ];
  for (const [what, file, change, message] of broken) {
    test(`${what} is told`, async () => {
      assert.throws(await changed(file, change), (error: unknown) => {
        assert.ok(error instanceof FormatError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe('cameras by their images', () => {
  test('two images of a camera that do not agree are refused, with how far they are apart', async (context) => {
    const folder = await temporaryFolder(context);
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

  test('a folder above the model is told where it lies', async (context) => {
    const folder = await temporaryFolder(context);
    await mkdir(join(folder, '0'));
    for (const name of ['cameras.bin', 'images.bin'])
      await copyFile(join(rigs, 'colmap/binary', name), join(folder, '0', name));
    await assert.rejects(readCalibrations(folder, { units: 'm' }), /a model of COLMAP.*none here, but one in .*0$/);
  });
});

describe('files that are not what they say', () => {
  test('binary models cut at any byte, or with enormous counts, are refused in a moment', async (context) => {
    const folder = await temporaryFolder(context);
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

  test('gzip that inflates without end, XML that nests without end: refused within their budgets', async (context) => {
    const folder = await temporaryFolder(context);
    const bomb = join(folder, 'x.yml.gz');
    await writeFile(bomb, gzipSync(Buffer.alloc(64e6)));
    const start = performance.now();
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
    assert.ok(performance.now() - start < 4000, `${performance.now() - start} ms`);
  });
});
