import assert from 'node:assert/strict';
import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { calibrationPath, framePath, imagePath } from '../../../datasets/layout.js';
import { decodeFrame } from '../../../datasets/reader/decodeFrame.js';
import { openDirectorySource } from '../../../datasets/reader/datasetDirectory.js';
import { FrameUnreadable } from '../../../datasets/reader/errors.js';
import type { Sample } from '../../../datasets/types.js';
import { assertGolden, goldenFaces } from '../../support/golden/golden.js';
import { copiedFolder, goldenDataset, goldenFolder, goldenFrames } from './goldenFolder.js';

const [first] = goldenFrames;

async function read(folder: string, viewKind: 'stereo' | 'colour' | 'all' = 'stereo'): Promise<Sample> {
  const source = await openDirectorySource(folder, goldenDataset, viewKind);
  return decodeFrame(first, await source.load('train', first), null, 8, source.template.vertices.length / 3);
}

const names = (sample: Sample): string[] => sample.views.map(({ camera }) => camera.name);

describe('a folder in FaMoS layout', () => {
  test('a folder in FaMoS layout gives the frames of its lists as the published system sees them', async () => {
    const source = await openDirectorySource(goldenFolder, goldenDataset, 'stereo');
    assert.deepEqual(await source.range('train', 0, source.count('train')), goldenFrames);
    assert.deepEqual(source.template.faces, goldenFaces());
    // The template is in metres on disk.
    assert.ok(Math.max(...source.template.vertices) > 50);
    assert.equal(source.regions.lips.length, 60);
    const sample = await read(goldenFolder);
    assert.deepEqual(names(sample), ['00_A', '00_B', '01_A', '01_B']);
    assert.ok(sample.vertices);
    assertGolden('coarse/inputs/v_registration', sample.vertices);
    assert.equal(sample.scanPoints.length, 3000 * 3);
    assert.equal(sample.coarseVertices, null);
  });

  test('views are those whose image is there, of the kind asked for, sorted by name', async () => {
    const folder = await copiedFolder();
    const { subject, sequence } = first;
    for (const [from, to] of [
      ['00_A', '10_C'],
      ['01_A', '02_C'],
    ] as const) {
      await copyFile(
        join(folder, 'calibrations', calibrationPath(subject, sequence, from)),
        join(folder, 'calibrations', calibrationPath(subject, sequence, to)),
      );
      await copyFile(join(folder, 'images', imagePath(first, from)), join(folder, 'images', imagePath(first, to)));
    }
    await writeFile(join(folder, 'calibrations', subject, sequence, 'notes.txt'), 'not a camera');
    await rm(join(folder, 'images', imagePath(first, '00_B')));
    assert.deepEqual(names(await read(folder)), ['00_A', '01_A', '01_B']);
    assert.deepEqual(names(await read(folder, 'colour')), ['02_C', '10_C']);
    assert.deepEqual(names(await read(folder, 'all')), ['00_A', '01_A', '01_B', '02_C', '10_C']);
  });

  test('a missing scan or registration is no error: test sets have none', async () => {
    const folder = await copiedFolder();
    await rm(join(folder, 'scans', framePath(first, 'npy')));
    await rm(join(folder, 'registrations', framePath(first, 'ply')));
    const sample = await read(folder);
    assert.equal(sample.vertices, null);
    assert.equal(sample.scanPoints.length, 0);
  });

  const broken: [string, (folder: string) => Promise<void>, RegExp][] = [
    ['one view only', async (folder) => removeViews(folder, ['00_B', '01_A', '01_B']), /1 usable views.*needs two/],
    [
      'no calibrations',
      async (folder) => rm(join(folder, 'calibrations', first.subject), { recursive: true }),
      /ENOENT.*calibrations/,
    ],
    [
      'an image cut short',
      async (folder) => truncate(join(folder, 'images', imagePath(first, '01_A')), 1000),
      /seq_a\.000001\.01_A\.png: expected an image/,
    ],
    [
      'a registration of another topology',
      async (folder) => {
        const header = 'element vertex 1\nproperty float x\nproperty float y\nproperty float z';
        const ply = `ply\nformat ascii 1.0\n${header}\nend_header\n1 2 3\n`;
        await writeFile(join(folder, 'registrations', framePath(first, 'ply')), ply);
      },
      /seq_a\.000001\.ply: expected 642 vertices, as the template has, found 1/,
    ],
    [
      'a scan that is no list of points',
      async (folder) => {
        const path = join(folder, 'scans', framePath(first, 'npy'));
        const text = (await readFile(path)).toString('latin1').replace('(3000, 3)', '(9000, 1)');
        await writeFile(path, text, 'latin1');
      },
      /expected points, shape \(n, 3\), found shape \(9000, 1\)/,
    ],
  ];
  for (const [what, breakIt, message] of broken) {
    test(`${what}: the frame is named, and the file`, async () => {
      const folder = await copiedFolder();
      await breakIt(folder);
      await assert.rejects(read(folder), (error: unknown) => {
        assert.ok(error instanceof FrameUnreadable, String(error));
        assert.deepEqual(error.frame, first);
        assert.match(error.message, /^Frame subject_000\/seq_a\/000001 cannot be read: /);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

async function removeViews(folder: string, views: readonly string[]): Promise<void> {
  for (const view of views) await rm(join(folder, 'images', imagePath(first, view)));
}
