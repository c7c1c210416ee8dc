import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../../configs/packageRoot.js';
import type { CalibrationDefaults } from '../../../datasets/calibrations/options.js';
import { parseCalibrations } from '../../../datasets/calibrations/parseCalibrations.js';
import { readCalibrations } from '../../../datasets/calibrations/readCalibrations.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

/** Files of other programs' own libraries: `rigs/make_rigs.py` says how they were made. */
const rigs = join(packageRoot, 'test/datasets/calibrations/rigs');

describe('a lens that the networks do not have is refused by its name', () => {
  test('COLMAP: every other model, with the number of parameters that COLMAP has', async () => {
    const models = JSON.parse(await readFile(join(rigs, 'colmap/models.json'), 'utf8')) as Record<
      string,
      { number: number; parameters: number }
    >;
    const folder = temporaryFolder();
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
  const beside = (field: string) => (t: string) => t.replaceAll('"distCoef"', `${field}, "distCoef"`);
  for (const [what, field, message] of [
    ['kappa', '"kappa1": -0.2', /kappa1: .*may be of the lens/],
    ['a letter alone', '"k": [-0.2, 0.1]', /k: .*may be of the lens/],
    ['a binned picture', '"binning_x": 2', /binning_x: expected the camera of whole pictures/],
    ['a part of a picture', '"roi": { "x_offset": 8, "y_offset": 0 }', /roi: expected the camera of whole pictures/],
  ] as const) {
    lenses.push([`Panoptic with ${what}`, 'panoptic/calibration.json', beside(field), message]);
  }
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
    test(`${what} is reported`, async () => {
      assert.throws(await changed(file, change), (error: unknown) => {
        assert.ok(error instanceof FormatError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
