import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { openShard, planShards } from '../../activities/predictions/predictionShards.js';
import type { PredictionShard } from '../../activities/types.js';
import { writeDatasetIndex } from '../support/singleFileIndex.js';
import type { FrameId, IndexedFrame, Split } from '../../datasets/types.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { emptyStore, keysOf, putJson } from './support/store.js';

const configuration = testConfiguration({ predictions: { framesPerShard: 2 } });
const idOf = (split: Split, i: number): FrameId => ({ subject: split, sequence: 'q', frame: `00${i}` });

async function preparedStore(): Promise<ObjectStore> {
  const store = emptyStore();
  const images = { key: 'images.tar', size: 1, sha256: 'a'.repeat(64) };
  const rest = { images, calibrations: [], scan: null, registration: null };
  const frames = (split: Split, count: number): IndexedFrame[] =>
    Array.from({ length: count }, (_, i) => ({ id: idOf(split, i), ...rest }));
  const splits = { train: frames('train', 3), validation: frames('validation', 2), test: frames('test', 3) };
  const sizes = { storedResizeFactor: 1, imageExtension: 'png', vertexCount: 1 };
  const heads = { template: null, vertexMasks: null, unusable: [] };
  const index = writeDatasetIndex({ version: 2, name: 'heads', splits, ...sizes, ...heads });
  await store.put('datasets/heads/dataset.json', index);
  await finish(store, 'coarse', 'coarse-finetuning', 'a');
  return store;
}

async function finish(
  store: ObjectStore,
  stage: 'coarse' | 'refinement',
  name: 'coarse-finetuning' | 'refinement',
  model: string,
): Promise<void> {
  const finished = { [name]: { step: 10, modelSha256: model.repeat(64) } };
  const manifest = manifestWith('r', stage, { checkpoints: [[10, name]], finished });
  await putJson(store, `runs/r/${stage}/manifest.json`, manifest);
}

async function plan(store: ObjectStore, purpose: PredictionShard['purpose'] = 'refinement-input') {
  const { shards, frames } = await planShards(store, 'r', configuration, purpose);
  return { frames, shards: shards.map(({ index, from, to }) => [index, from, to]) };
}

const shard = (index: number, from: number, to: number): PredictionShard => {
  return { index, from, to, purpose: 'refinement-input' };
};

test('the frames of train and validation are cut into shards; what is done is left out', async () => {
  const store = await preparedStore();
  const all = [
    [0, 0, 2],
    [1, 2, 4],
    [2, 4, 5],
  ];
  assert.deepEqual(await plan(store), { frames: 5, shards: all });
  const opened = await openShard(store, 'r', configuration, shard(1, 2, 4));
  assert.deepEqual(opened.frames, [
    { split: 'train', id: idOf('train', 2) },
    { split: 'validation', id: idOf('validation', 0) },
  ]);
  assert.deepEqual((await plan(store)).shards, all, 'an open shard is not done');
  await opened.close();
  assert.deepEqual((await plan(store)).shards, [all[0], all[2]]);
});

test('predictions of an interrupted attempt stay, those of a model that has been trained further go', async () => {
  const store = await preparedStore();
  const mesh = 'runs/r/predictions/coarse/train/q/q.000.ply';
  const other = 'runs/r/predictions/coarse/train/q/q.002.ply';
  await openShard(store, 'r', configuration, shard(0, 0, 2));
  for (const key of [mesh, other]) await store.put(key, Buffer.from('ply'));
  const again = await openShard(store, 'r', configuration, shard(0, 0, 2));
  assert.ok(await store.head(mesh));
  await again.close();
  await finish(store, 'coarse', 'coarse-finetuning', 'b');
  assert.equal((await plan(store)).shards.length, 3);
  await openShard(store, 'r', configuration, shard(0, 0, 2));
  assert.equal(await store.head(mesh), null);
  assert.ok(await store.head(other), 'frames of other shards are theirs');
});

test('test shards are named on from the others, and need both models', async () => {
  const store = await preparedStore();
  const unfinished = (error: unknown) =>
    error instanceof ApplicationFailure &&
    error.type === 'ConfigurationInvalid' &&
    /refinement of r is not finished.*tempeh-flow start refinement/.test(error.message);
  await assert.rejects(plan(store, 'test'), unfinished);
  await finish(store, 'refinement', 'refinement', 'c');
  const shards = [
    [3, 0, 2],
    [4, 2, 3],
  ];
  assert.deepEqual(await plan(store, 'test'), { frames: 3, shards });
  const { close, frames } = await openShard(store, 'r', configuration, { index: 4, from: 2, to: 3, purpose: 'test' });
  assert.deepEqual(frames, [{ split: 'test', id: idOf('test', 2) }]);
  await close();
  assert.deepEqual((await plan(store, 'test')).shards, [[3, 0, 2]]);
  assert.ok((await keysOf(store)).includes('runs/r/predictions/shards/00004.json'));
});

test('a marker or index of another shape is refused with its field, and nothing is deleted', async () => {
  const store = await preparedStore();
  const mesh = 'runs/r/predictions/coarse/train/q/q.000.ply';
  await store.put(mesh, Buffer.from('ply'));
  const invalid = (key: string, field: string) => (error: unknown) =>
    error instanceof StoredObjectInvalid && error.key === key && error.field === field;
  const marker = 'runs/r/predictions/shards/00000.json';
  for (const [value, field] of [
    [null, ''],
    [{ done: true }, 'models'],
    [{ models: 'all', done: true }, 'models'],
  ] as const) {
    await putJson(store, marker, value);
    await assert.rejects(plan(store), invalid(marker, field));
    await assert.rejects(openShard(store, 'r', configuration, shard(0, 0, 2)), invalid(marker, field));
  }
  assert.ok(await store.head(mesh));
  await putJson(store, 'datasets/heads/dataset.json', null);
  await assert.rejects(plan(store), { name: 'FormatError', file: 'datasets/heads/dataset.json' });
});

test('a data set that is not packed is named, with what to do', async () => {
  const missing = (error: unknown) =>
    error instanceof ApplicationFailure &&
    error.type === 'DataUnusable' &&
    /heads is not in .*start dataset/.test(error.message);
  await assert.rejects(plan(emptyStore()), missing);
});

test('with another number of frames a shard, what was done under a number is not taken for what stands there now', async () => {
  const store = await preparedStore();
  await (await openShard(store, 'r', configuration, shard(1, 2, 4))).close();
  const larger = testConfiguration({ predictions: { framesPerShard: 4 } });
  const { shards } = await planShards(store, 'r', larger, 'refinement-input');
  assert.deepEqual(
    shards.map(({ index, from, to }) => [index, from, to]),
    [
      [0, 0, 4],
      [1, 4, 5],
    ],
  );
});
