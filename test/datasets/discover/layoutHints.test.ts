import assert from 'node:assert/strict';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkDataset } from '../../../datasets/inspect/checkDataset.js';
import { inspectDirectory } from '../../../datasets/inspect/inspectDirectory.js';
import type { DatasetReport, InspectOptions } from '../../../datasets/inspect/types.js';
import { listHint } from '../../../datasets/discover/layoutHints.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { copiedFolder, goldenDataset } from '../reader/goldenFolder.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const dataset = { ...goldenDataset, name: 'golden', storedResizeFactor: 4, unusableFrames: 0 };
const options: InspectOptions = { dataset, viewKind: 'stereo', volume: { centre: [0, -50, 0], side: 800 } };

async function check(folder: string, changes: Partial<InspectOptions['dataset']> = {}): Promise<DatasetReport> {
  const own = { ...options, dataset: { ...dataset, ...changes } };
  return checkDataset(await inspectDirectory(folder, own), 0, own);
}

describe('a folder in another layout: what was found, and which setting says so', () => {
  test('folders of other names, deeper or higher', async () => {
    const folder = await copiedFolder();
    await mkdir(join(folder, 'deep/er'), { recursive: true });
    // Other people's images, whose folder comes first by name.
    await cp(join(folder, 'images/subject_000'), join(folder, 'a_test_images_4/somebody'), { recursive: true });
    await rename(join(folder, 'images'), join(folder, 'deep/er/train_images_4'));
    await rename(join(folder, 'scans'), join(folder, 'points'));
    const { usable, problems } = await check(folder);
    assert.equal(usable, false);
    const said = problems.join('\n');
    assert.match(
      said,
      /dataset\.layout\.train\.images: images has none; deep\/er\/train_images_4 has such files: set dataset\.layout\.train\.images: deep\/er\/train_images_4\./,
    );
    // Registrations could be scans as well.
    assert.match(
      said,
      /dataset\.layout\.test\.scans: scans has none; points, predictions, registrations have such files: set .*: points\./,
    );
    assert.doesNotMatch(said, /layout\.train\.(calibrations|registrations):/);
    const pack = packDataset({
      store: directoryStore(temporaryFolder()),
      configuration: dataset,
      directory: folder,
    });
    await assert.rejects(pack, /frames are unusable.*set dataset\.layout\.train\.images: deep\/er\/train_images_4\./);
  });

  test('images of another format, subjects of other names, nothing at all', async () => {
    const folder = await copiedFolder();
    assert.match(
      (await check(folder, { imageExtension: 'jpg' })).problems.join('\n'),
      /train\.images: images holds images, but \.png ones: set dataset\.imageExtension: png\./,
    );
    await writeFile(join(folder, 'list.json'), JSON.stringify([['s1', 'seq_a', '000001']]));
    assert.match(
      (await check(folder)).problems.join('\n'),
      /train\.calibrations: calibrations has none of the list's frames: it holds subject_000, subject_001, the list names s1\./,
    );
    await rm(join(folder, 'calibrations'), { recursive: true });
    assert.match(
      (await check(folder)).problems.join('\n'),
      /train\.calibrations: calibrations has none, and no folder below .* has files called SUBJECT\/SEQUENCE\/CAMERA\.tka/,
    );
  });

  test('a folder in another layout: what was found, and which setting says so: of a list that is not there, those that are', async () => {
    const folder = await copiedFolder();
    await cp(join(folder, 'list.json'), join(folder, 'lists/train.json'));
    assert.match(
      await listHint(folder),
      /there are the data lists list\.json \(2 frames\), lists\/train\.json \(2 frames\)\./,
    );
  });

  test("a Mac's shadows of calibrations are no cameras", async () => {
    const folder = await copiedFolder();
    await writeFile(join(folder, 'calibrations/subject_000/seq_a/._00_A.tka'), 'Mac OS X');
    assert.equal((await check(folder)).usable, true);
  });
});
