import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { checkDataset } from '../../../datasets/inspect/checkDataset.js';
import { inspectDirectory } from '../../../datasets/inspect/inspectDirectory.js';
import { inspectStore } from '../../../datasets/inspect/inspectStore.js';
import { sampleFrames } from '../../../datasets/sampleFrames.js';
import type { DatasetReport, InspectedFrame, InspectOptions } from '../../../datasets/inspect/types.js';
import { calibrationPath, framePath, imagePath } from '../../../datasets/layout.js';
import { DiskCache } from '../../../datasets/cache/diskCache.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { copiedFolder, goldenDataset, goldenFolder, goldenFrames } from '../reader/goldenFolder.js';
import { packGolden } from '../reader/packedGolden.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const [first, second] = goldenFrames;
const options: InspectOptions = {
  dataset: { ...goldenDataset, name: 'golden', storedResizeFactor: 4, unusableFrames: 0 },
  viewKind: 'stereo',
  volume: { centre: [0, -50, 0], side: 800 },
};

async function checkFolder(folder: string, changes: Partial<InspectOptions> = {}, sample: number | null = null) {
  const own = { ...options, ...changes };
  return checkDataset(await inspectDirectory(folder, own), sample, own);
}

async function packed() {
  const folder = temporaryFolder();
  const root = join(folder, 'store');
  const store = directoryStore(root);
  const index = await packGolden(store, 'golden');
  const check = async (sample: number | null = null): Promise<DatasetReport> =>
    checkDataset(await inspectStore(store, new DiskCache(join(folder, 'cache'), 1e9), options), sample, options);
  return { root: join(root, 'datasets/golden'), index, check };
}

async function changeCalibrations(folder: string, change: (text: string) => string): Promise<void> {
  for (const { subject, sequence } of goldenFrames) {
    const below = join(folder, 'calibrations', subject, sequence);
    for (const name of await readdir(below)) {
      const file = join(below, name);
      await writeFile(file, change(await readFile(file, 'utf8')));
    }
  }
}

describe('a check of a data set', () => {
  test('a good one is usable: counts and sizes, the same for the folder and for what was packed of it', async () => {
    const { check } = await packed();
    const progress: string[] = [];
    const folder = await checkFolder(goldenFolder, {
      onProgress: ({ what, done, total }) => progress.push(`${what} ${done} ${total}`),
    });
    const { description: _, ...store } = await check();
    const { description, ...report } = folder;
    assert.equal(description, goldenFolder);
    // A tar's padding.
    assert.ok(store.bytes.images > report.bytes.images && store.bytes.images < report.bytes.images + 6 * 6 * 1024);
    const withoutImages = ({ bytes, sequences, ...rest }: typeof store) => ({
      ...rest,
      bytes: { ...bytes, images: 0 },
      sequences: sequences.map((count) => ({ ...count, bytes: 0 })),
    });
    assert.deepEqual(withoutImages(store), withoutImages(report));
    assert.ok(report.usable, JSON.stringify(report.problems));
    assert.equal(report.sequences.length, 6);
    assert.deepEqual(
      { ...report.sequences[0], bytes: 0 },
      {
        split: 'train',
        subject: 'subject_000',
        sequence: 'seq_a',
        frames: 1,
        unusable: 0,
        views: [4, 4],
        bytes: 0,
      },
    );
    assert.deepEqual([report.read.frames, report.read.of, report.rigs.length], [6, 6, 2]);
    assert.ok(progress.includes('looking for files 6 6') && progress.includes('reading frames 6 6'));
  });

  test('subjects who are trained on and tested on as well are named', async () => {
    const folder = await copiedFolder();
    assert.deepEqual(
      (await checkFolder(folder, {}, 0)).familiar.map(({ split, subjects }) => [split, ...subjects]),
      [
        ['validation', 'subject_000', 'subject_001'],
        ['test', 'subject_000', 'subject_001'],
      ],
    );
    await writeFile(join(folder, 'first.json'), JSON.stringify([Object.values(first)]));
    await writeFile(join(folder, 'second.json'), JSON.stringify([Object.values(second)]));
    const { train, test: tested } = goldenDataset.layout;
    const layout = {
      ...goldenDataset.layout,
      train: { ...train, list: 'first.json' },
      test: { ...tested!, list: 'second.json' },
    };
    const { familiar } = await checkFolder(folder, { dataset: { ...options.dataset, layout } }, 0);
    assert.deepEqual(familiar, [{ split: 'validation', subjects: ['subject_000'] }]);
  });

  test('a data set without test set is usable', async () => {
    const layout = { ...goldenDataset.layout, test: null };
    const report = await checkFolder(await copiedFolder(), { dataset: { ...options.dataset, layout } }, 0);
    assert.deepEqual([report.problems, report.usable], [[], true]);
  });

  test('missing parts are reported by frame, with the reason, before anything is read', async () => {
    const folder = await copiedFolder();
    await rm(join(folder, 'registrations', framePath(first, 'ply')));
    await rm(join(folder, 'images', imagePath(second, '01_B')));
    const report = await checkFolder(folder, {}, 0);
    assert.equal(report.read.frames, 0);
    assert.equal(report.usable, false);
    assert.deepEqual(report.unusable[0], {
      split: 'train',
      id: first,
      reason: `there is no registration ${framePath(first, 'ply')}`,
    });
    assert.deepEqual(report.incomplete[0], { split: 'train', id: second, reason: 'no image of 01_B' });
    assert.match(
      report.problems.join('\n'),
      /3 of 6 frames are unusable; dataset\.unusableFrames allows 0 .*there is no registration/,
    );
    const tolerant = { ...options, dataset: { ...options.dataset, unusableFrames: 0.5 } };
    assert.equal((await checkFolder(folder, tolerant, 0)).usable, true);
  });

  test('views of another kind than the network is to see are no views', async () => {
    const report = await checkFolder(goldenFolder, { viewKind: 'colour' });
    assert.equal(report.usable, false);
    assert.match(report.unusable[0]!.reason, /it has 0 colour views, two are needed \(it has 00_A, 00_B.*viewKind/);
    assert.match(report.problems[0]!, /No frame of the train split/);
  });

  test('a damaged file shows when frames are read whole', async () => {
    const folder = await copiedFolder();
    await truncate(join(folder, 'images', imagePath(second, '01_A')), 3000);
    const report = await checkFolder(folder);
    assert.equal(report.usable, false);
    assert.equal(report.read.troubles.length, 3);
    assert.deepEqual(report.read.troubles[0]!.id, second);
    assert.match(report.read.troubles[0]!.reason, /seq_a\.000002\.01_A\.png/);
  });

  test('calibrations in metres, mirrored, or of a turned image are named with what to do', async () => {
    const folder = await copiedFolder();
    await changeCalibrations(folder, (text) =>
      text.replace(/^([XYZ])= (.*)$/gm, (_, key: string, value: string) => `${key}= ${Number(value) / 1000}`),
    );
    const metres = await checkFolder(folder);
    assert.equal(metres.usable, false);
    assert.match(metres.problems.join(), /calibrations of 2 sequences \(subject_000\/seq_a …\) cannot be right/);
    assert.match(metres.rigs[0]!.findings[0]!.found, /these look like metres/);

    const mirrored = await copiedFolder();
    await changeCalibrations(mirrored, (text) =>
      text.replace(/^(\S+) (\S+) (\S+) $/m, (row) => row.replace(/\S+/g, (n) => `${-Number(n)}`)),
    );
    const report = await checkFolder(mirrored);
    assert.match(
      report.read.troubles[0]!.reason,
      /\.tka, lines 2 to 4: expected a rotation matrix.*mirrors \(determinant −1\)/,
    );

    const turned = await copiedFolder();
    for (const id of goldenFrames) {
      const file = join(turned, 'images', imagePath(id, '00_A'));
      await writeFile(
        file,
        await sharp(await readFile(file))
          .rotate(90)
          .png()
          .toBuffer(),
      );
    }
    const finding = (await checkFolder(turned)).rigs[0]!.findings.find(({ severity }) => severity === 'error');
    assert.equal(finding?.camera, '00_A');
    assert.match(finding.found, /images of 300×400 pixels \(.*00_A\.png\)/);
    assert.match(finding.advice, /turned by 90°/);
  });

  test('images at another size than the data set says are resized, and reported', async () => {
    const folder = await copiedFolder();
    const dataset = { ...options.dataset, storedResizeFactor: 2 };
    const report = await checkFolder(folder, { dataset });
    assert.equal(report.usable, true);
    assert.match(report.rigs[0]!.findings[0]!.advice, /dataset\.storedResizeFactor: 4\./);
  });

  test('a camera of one sequence that is another in the next is no mistake', async () => {
    const folder = await copiedFolder();
    const [from, to] = goldenFrames.map((id) =>
      join(folder, 'calibrations', calibrationPath(id.subject, id.sequence, '00_A')),
    );
    await copyFile(from!, to!);
    assert.equal((await checkFolder(folder)).rigs.length, 2);
  });
});

describe('a check of a packed data set', () => {
  test('objects that are gone or cut short show by the list; changed bytes when they are read', async () => {
    const { root, index, check } = await packed();
    const { images, scan } = index.splits.train[0]!;
    const bytes = await readFile(join(root, images.key));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(root, images.key), bytes);
    await truncate(join(root, index.splits.train[1]!.images.key), 100);
    const report = await check();
    assert.match(report.unusable[0]!.reason, /has 100 bytes, the index says \d+/);
    assert.equal(report.read.troubles.length, 3);
    assert.match(report.read.troubles[0]!.reason, /SHA-256 is not the index's/);
    await rm(join(root, scan!.key));
    const less = await check(0);
    assert.match(less.unusable[0]!.reason, /scans\/subject_000.* is not in the store/);
    assert.equal(less.usable, false);
  });
});

test('a sample has frames of all splits, spread over them, and always the same', () => {
  const frames = (['train', 'validation', 'test'] as const).flatMap((split, i) =>
    Array.from({ length: [90, 6, 4][i]! }, (_, n): InspectedFrame => {
      const id = { subject: `s${Math.floor(n / 10)}`, sequence: 'q', frame: String(n) };
      return { split, id, views: [], bytes: { images: 0, scans: 0, registrations: 0 } };
    }),
  );
  for (const count of [1, 3, 10, 99, 100, 1000]) {
    const sample = sampleFrames(frames, count);
    assert.equal(sample.length, Math.min(count, 100));
    assert.equal(new Set(sample).size, sample.length);
    assert.deepEqual(sampleFrames(frames, count), sample);
    if (count >= 3) assert.equal(new Set(sample.map(({ split }) => split)).size, 3);
    if (count >= 10) assert.ok(new Set(sample.map(({ id }) => id.subject)).size >= 7);
  }
  assert.equal(sampleFrames(frames, null).length, 100);
  assert.deepEqual(sampleFrames(frames, 0), []);
});
