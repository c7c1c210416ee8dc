import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { openBatches, type Batches } from '../../../datasets/batches/openBatches.js';
import { DiskCache } from '../../../datasets/cache/diskCache.js';
import { openStoreSource } from '../../../datasets/reader/storeSource.js';
import { atMost, type ViewChoice } from '../../../datasets/views.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { goldenDataset, goldenFolder, goldenFrames } from '../reader/goldenFolder.js';
import { packGolden } from '../reader/packedGolden.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';
import { batchSettings } from '../../support/tiny/batchSettings.js';

const training = batchSettings({ scanPoints: 5 });
const plain = { split: 'validation', batchSize: 1, resizeFactor: 16, scanPoints: 5, limit: null } as const;

async function open(context: TestContext, choice: Partial<ViewChoice>): Promise<Batches> {
  const source = { kind: 'directory', path: goldenFolder, dataset: goldenDataset } as const;
  const settings = { source, viewKind: 'stereo', coarsePredictions: null, threads: 1, ...choice } as const;
  const batches = await openBatches(settings, 2, { warn: assert.fail });
  context.after(() => batches.close());
  return batches;
}

async function namesOf(batches: Batches): Promise<string[]> {
  const names: string[] = [];
  for await (const { viewNames } of batches.validation(plain)) names.push(viewNames[0]!.join());
  return names;
}

describe('cameras can be left out', () => {
  test('cameras are left out by their names, whatever their kind', async (context) => {
    const batches = await open(context, { viewKind: 'colour', cameras: ['01_B', '00_A'] });
    assert.deepEqual(await namesOf(batches), ['00_A,01_B', '00_A,01_B']);
    const { viewNames } = await batches.training(0, training, 3);
    assert.deepEqual(viewNames[0], ['00_A', '01_B']);
  });

  test('a number of cameras at most: always the same ones, but drawn anew for each training step', async (context) => {
    const batches = await open(context, { viewsAtMost: 3 });
    assert.deepEqual(await namesOf(batches), ['00_A,01_A,01_B', '00_A,01_A,01_B']);
    const drawn = new Set<string>();
    for (let step = 0; step < 20; step++) {
      const [names] = (await batches.training(step, training, 19)).viewNames;
      assert.ok(names!.length >= 2 && names!.length <= 3);
      names!.forEach((name) => drawn.add(name));
    }
    assert.equal(drawn.size, 4);
  });

  test('a camera that a packed data set does not have is reported before anything is trained', async () => {
    const folder = temporaryFolder();
    const store = directoryStore(join(folder, 'store'));
    await packGolden(store, 'golden');
    const choice = { viewKind: 'stereo', cameras: ['00_A', '09_A'] } as const;
    const cache = new DiskCache(join(folder, 'cache'), 1e9);
    await assert.rejects(
      openStoreSource(store, 'golden', choice, cache),
      /dataset\.json: expected the cameras that the setting cameras names \(00_A, 09_A\), found no 09_A; there are 00_A, 00_B/,
    );
    const source = await openStoreSource(store, 'golden', { ...choice, cameras: ['00_A', '01_A'] }, cache);
    const { views } = await source.load('train', goldenFrames[0]);
    assert.deepEqual(
      views.map(({ name }) => name),
      ['00_A', '01_A'],
    );
  });
});

test('views are spread evenly over their order', () => {
  const views = Array.from({ length: 16 }, (_, i) => i);
  assert.deepEqual(atMost(views, { viewsAtMost: 4 }), [2, 6, 10, 14]);
  assert.deepEqual(atMost(views, { viewsAtMost: 16 }), views);
  assert.deepEqual(atMost(views, {}), views);
});
