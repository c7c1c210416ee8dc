import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkPlace } from '../../../activities/places.js';
import { proveFolder } from '../../../activities/runs/proveData.js';
import { WorkerLimits } from '../../../activities/workerLimits.js';
import { runConfigurationSchema, type RunConfiguration } from '../../../configs/schema/run.js';
import { readScan } from '../../../datasets/reader/readScan.js';
import { openDirectorySource } from '../../../datasets/reader/datasetDirectory.js';
import { placeOf, storedPlaceOf } from '../../../datasets/reader/inPlace.js';
import { sha256 } from '../../../datasets/cache/diskCache.js';
import { readDatasetIndex } from '../../../datasets/index/openIndex.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import { TestSet } from '../../../evaluation/testSet.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { openStageData } from '../../../training/process/openStageData.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { keysOf } from '../../activities/support/store.js';
import { generateTinyDataset } from '../../support/tiny/tinyDataset.js';
import { tinyConfiguration } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const data = join(root, 'data');
const stores = { packed: join(root, 'packed'), 'in place': join(root, 'in-place') } as const;
type Way = keyof typeof stores;

function configured(way: Way): RunConfiguration {
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: stores[way] } });
  const source = { kind: 'directory', path: data, ...(way === 'in place' ? { pack: false } : {}) } as const;
  return { ...configuration, dataset: { ...configuration.dataset, source } };
}

await generateTinyDataset(data);
for (const way of ['packed', 'in place'] as const) {
  const store = directoryStore(stores[way]);
  await packDataset({ store, configuration: configured(way).dataset, directory: data, inPlace: way === 'in place' });
}

async function train(way: Way): Promise<string> {
  const configuration = configured(way);
  const job = { run: 'r', stage: 'coarse-pretraining', attempt: 'one', workingDirectory: join(root, way) } as const;
  const three = { ...configuration.training['coarse-pretraining'], iterations: 3 };
  const training = { ...configuration.training, 'coarse-pretraining': three };
  const result = await trainStage(
    { ...job, configuration: { ...configuration, training } },
    () => undefined,
    new AbortController().signal,
  );
  return result.checkpoint.modelSha256;
}

test('nothing is copied, and training has the bits of the packed way', { timeout: 120_000 }, async () => {
  const kept = await keysOf(directoryStore(stores['in place']));
  assert.deepEqual(
    kept.filter((key) => !key.includes('/parts/')),
    ['dataset.json', 'template.obj', 'unusable.json', 'vertex_masks.npz'].map((name) => `datasets/tiny/${name}`),
  );
  assert.equal(await train('in place'), await train('packed'));
  const cached = await readdir(join(root, 'in place', 'cache'), { recursive: true, withFileTypes: true });
  const allowed = await Promise.all(
    kept.map(async (key) => sha256((await directoryStore(stores['in place']).get(key)).body)),
  );
  const files = cached.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
  assert.ok(files.length >= 3);
  assert.deepEqual(
    files.filter((name) => !allowed.includes(name)),
    [],
    'template, masks and index alone',
  );
});

test('evaluation reads test frames where they lie, stored configurations say where', async () => {
  const { dataset } = configured('in place');
  const place = placeOf(dataset);
  assert.deepEqual(storedPlaceOf(JSON.parse(JSON.stringify(dataset)))?.path, place?.path);
  const store = directoryStore(stores['in place']);
  const testSet = await TestSet.open(store, 'r', 'tiny', place);
  const folder = await openDirectorySource(data, dataset, 'all');
  for (const frame of await testSet.index.range('test', 0, testSet.index.counts.test)) {
    const { scan } = await folder.load('test', frame.id);
    assert.deepEqual(await testSet.scanPoints(frame), readScan(scan!));
  }
  await assert.rejects(TestSet.open(store, 'r', 'tiny', null), /was looked at in its folder, not packed.*pack: false/);
});

test('files that changed since they were looked at are reported, not trained on', async () => {
  const configuration = configured('in place');
  const index = await readDatasetIndex(directoryStore(stores['in place']), 'tiny');
  const { subject, sequence, frame } = index.splits.validation[0]!.id;
  const folder = configuration.dataset.layout.validation.images;
  const images = join(data, folder, subject, sequence, frame);
  const [name] = (await readdir(images)).sort();
  const file = join(images, name!);
  const whole = await readFile(file);
  const job = { run: 'r', stage: 'coarse-pretraining', configuration, attempt: 'x', workingDirectory: root } as const;
  const read = async (): Promise<void> => {
    const stage = await openStageData(job, { warn: () => undefined });
    try {
      for await (const batch of stage.validationBatches()) assert.ok(batch.frames.length > 0);
    } finally {
      await stage.close();
    }
  };
  await read();
  await writeFile(file, Buffer.concat([whole, Buffer.alloc(1)]));
  await assert.rejects(read(), /found other content/);
  await rm(file);
  await assert.rejects(read(), /found no such file/);
  await writeFile(file, whole);
});

test('a worker that does not see the folder leaves it to others; one whose owner does not allow it refuses', async () => {
  const { dataset } = configured('in place');
  const limits = WorkerLimits.of(root, {});
  checkPlace(dataset, limits);
  assert.throws(() => checkPlace(dataset, WorkerLimits.of('/nowhere', {})), { type: 'ConfigurationInvalid' });
  await rename(data, `${data}-away`);
  try {
    assert.throws(() => checkPlace(dataset, limits), { type: 'FolderNotSeen', nonRetryable: false });
    await assert.rejects(proveFolder(data, dataset.layout), { type: 'ConfigurationInvalid' });
  } finally {
    await rename(`${data}-away`, data);
  }
});

test('a relative path would be another folder on each worker; a set without tests is whole', async () => {
  const { dataset, ...rest } = configured('in place');
  const { test: _test, ...layout } = dataset.layout;
  const parsed = runConfigurationSchema.parse({ ...rest, dataset: { ...dataset, layout } });
  assert.equal(parsed.dataset.layout.test, null);
  const index = await packDataset({
    store: directoryStore(join(root, 'without-tests')),
    configuration: parsed.dataset,
    directory: data,
    inPlace: true,
  });
  assert.deepEqual([index.counts.train, index.counts.test], [6, 0]);
  const relative = { ...dataset, source: { ...dataset.source, path: 'data' } };
  assert.match(String(runConfigurationSchema.safeParse({ ...rest, dataset: relative }).error), /absolute/);
});
