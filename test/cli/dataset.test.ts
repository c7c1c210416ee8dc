import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { imageSize } from '../../datasets/formats/images/image.js';
import { parseTka } from '../../datasets/formats/tka.js';
import { imagePath } from '../../datasets/layout.js';
import { copiedFolder, goldenDataset, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const [first] = goldenFrames;

/** A copy of the golden case, and a configuration that says where things lie in it. */
async function ownData() {
  const directory = await copiedFolder();
  const config = join(directory, 'own.yaml');
  const storage = { kind: 'directory', path: join(directory, 'store') };
  const dataset = { name: 'own', source: { kind: 'directory', path: directory }, layout: goldenDataset.layout };
  await writeFile(config, stringify({ storage, dataset }));
  return { directory, config };
}

describe('tempeh-flow dataset', () => {
  test('check: a human-readable table, JSON for programs, exit code 1 where it is unusable', async () => {
    const { directory, config } = await ownData();
    const good = await tempehFlow(['dataset', 'check', '--config', config, '--directory', directory]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /^train +subject_000 +1 +1 +4 /m);
    assert.match(good.stdout, /Read whole: 6 of 6 frames, all good/);
    assert.match(good.stdout, /Rig: 4 cameras, seen in 2 sequences, as it should be\.\n/);
    assert.match(good.stdout, /! test: subject_000, subject_001 are trained on as well\..*\n\nUsable\.\n$/);

    await rm(join(directory, 'images', imagePath(first, '00_A'), '..'), { recursive: true });
    const bad = await tempehFlow(['dataset', 'check', '--config', config, '--directory', directory, '--json']);
    assert.equal(bad.code, 1);
    const report = JSON.parse(bad.stdout) as { usable: boolean; unusable: { reason: string }[] };
    assert.equal(report.usable, false);
    assert.equal(report.unusable[0]!.reason, 'there is no image of it');
  });

  test('check: what is not there is named with what to do', async () => {
    const { directory, config } = await ownData();
    const missing = await tempehFlow(['dataset', 'check', '--config', config]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /There is no data set own in .*tempeh-flow start dataset/);
    await rm(join(directory, 'template.obj'));
    const folder = await tempehFlow(['dataset', 'check', '--config', config, '--directory', directory]);
    assert.equal(folder.code, 1);
    assert.match(folder.stderr, /There is no .*template\.obj: put it there.*dataset\.layout/);
  });

  test('show: frames and the rig as pictures', async () => {
    const { directory, config } = await ownData();
    const output = join(directory, 'pictures');
    const frames = goldenFrames.flatMap(({ subject, sequence, frame }) => [
      '--frames',
      `${subject}/${sequence}/${frame}`,
    ]);
    const shown = await tempehFlow([
      'dataset',
      'show',
      '--config',
      config,
      '--directory',
      directory,
      '--output',
      output,
      ...frames,
    ]);
    assert.equal(shown.code, 0, shown.stderr);
    const sizeOf = async (name: string) => imageSize(await readFile(join(output, name)), name);
    // Four views of 240 pixels a frame, each thrice: alone, with the registration, with the scan.
    assert.deepEqual(await sizeOf('contact-sheet.png'), { width: 4 * 244 + 4, height: 2 * (28 + 3 * 184 + 4) + 4 });
    assert.deepEqual(await sizeOf('rig.png'), { width: 1800, height: 900 });
    const unknown = await tempehFlow([
      'dataset',
      'show',
      '--config',
      config,
      '--directory',
      directory,
      '--frames',
      'a/b/c',
    ]);
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.stderr,
      /--frames a\/b\/c: there is no such usable frame; there are subject_000\/seq_a\/000001/,
    );
  });
});

describe('tempeh-flow dataset convert-calibrations', () => {
  const matrix = (rows: number, cols: number, data: readonly number[]) =>
    `!!opencv-matrix\n   rows: ${rows}\n   cols: ${cols}\n   dt: d\n   data: [ ${data.join(', ')} ]\n`;
  /** A camera in metres whose heads are 0.8 m before it. */
  const yaml = (x: number, distortion: readonly number[]) =>
    `%YAML:1.0\n---\nimage_width: 1600\nimage_height: 1200\n` +
    `camera_matrix: ${matrix(3, 3, [2400, 0, 800, 0, 2400, 600, 0, 0, 1])}` +
    `distortion_coefficients: ${matrix(1, distortion.length, distortion)}` +
    `R: ${matrix(3, 3, [1, 0, 0, 0, -1, 0, 0, 0, -1])}T: ${matrix(3, 1, [x, 0, 0.8])}`;

  test('writes a .tka for each camera and sequence, and says what the rig is like', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'rig'));
    for (const [name, x] of [
      ['left_A', 0.1],
      ['right_B', -0.1],
    ] as const) {
      await writeFile(join(folder, 'rig', `${name}.yml`), yaml(x, [-0.1, 0.02, 0, 0, 0]));
    }
    const files = (await readdir(join(folder, 'rig'))).map((name) => join(folder, 'rig', name));
    const list = join(folder, 'list.json');
    await writeFile(
      list,
      JSON.stringify([
        ['anna', 'smile', '0001'],
        ['anna', 'smile', '0002'],
      ]),
    );
    const other = join(folder, 'other.json');
    await writeFile(other, JSON.stringify([['ben', 'talk', '0001']]));
    const output = join(folder, 'calibrations');
    const args = ['dataset', 'convert-calibrations', ...files, '--output', output, '--list', list, '--list', other];
    const unsaid = await tempehFlow(args);
    assert.equal(unsaid.code, 1);
    assert.match(unsaid.stderr, /left_A\.yml: expected the units of the translation .*--units/);
    // 50 mm lower, as the volume of the coarse model is.
    const said = [...args, '--units', 'm', '--extrinsics', 'world-to-camera', '--origin', '0', '50', '0'];
    const { code, stdout, stderr } = await tempehFlow(said);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /left_A +1600×1200 +2400\.0 2400\.0 +8\d\d +0\.0000 +0\.0000/);
    assert.match(stdout, /2 calibrations in .*, for 2 sequences/);
    // They look in parallel.
    assert.match(stdout, /! rig: all cameras within 14\.\d°/);
    const tka = parseTka(await readFile(join(output, 'ben', 'talk', 'right_B.tka'), 'utf8'), 'right_B.tka');
    assert.deepEqual(tka.forwardDistortion, [-0.1, 0.02]);
    tka.centre.forEach((value, i) => assert.ok(Math.abs(value - [100, -50, 800][i]!) < 1e-9));
  });

  test('a lens that the networks do not have is refused beyond a limit, which can be raised', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'cam_A.yml');
    await writeFile(file, yaml(0, [-0.2, 0.1, 0.004, 0.003, 0]));
    const args = [
      'dataset',
      'convert-calibrations',
      file,
      '--units',
      'm',
      '--extrinsics',
      'world-to-camera',
      '--output',
      folder,
    ];
    const refused = await tempehFlow(args);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /within 1 px of 1 cameras:\n {2}cam_A: \d\.\d\d px at most, \d\.\d\d px rms \(p1 p2\)/,
    );
    assert.ok(!(await readdir(folder)).includes('cam_A.tka'));
    await tempehFlow([...args, '--accept-residual', '50']);
    assert.ok((await readdir(folder)).includes('cam_A.tka'));
    await tempehFlow([...args, '--undistorted']);
    assert.match(await readFile(join(folder, 'cam_A.tka'), 'utf8'), /^D= 0 0$/m);
    const wrong = await tempehFlow([...args, '--axes', 'x,y,-z']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--axes x,y,-z: expected .*right-handed/);
  });
});
