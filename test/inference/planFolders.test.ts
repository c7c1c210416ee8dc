import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { framePath } from '../../datasets/layout.js';
import type { FrameId } from '../../datasets/types.js';
import { FoldersUnsuitable, type FolderPredictionJob } from '../../inference/folders/job.js';
import { listSha256 } from '../../inference/folders/list.js';
import { planFolders } from '../../inference/folders/planFolders.js';
import { predictFolders } from '../../inference/folders/predictFrameList.js';
import { copiedFolder, goldenFolder, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { folderJob, tinyNetworks } from './folderJob.js';
import { writeTinyModels } from './tinyModels.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const never = new AbortController().signal;
const plan = (job: FolderPredictionJob) => planFolders(job, () => {}, never);
const frames = Array.from({ length: 40 }, (_, i): FrameId => ({
  subject: 's',
  sequence: 'q',
  frame: String(100 + i),
}));

/** A job of forty frames; the planning looks at no image. */
async function longJob(): Promise<FolderPredictionJob> {
  const folder = temporaryFolder();
  await writeTinyModels(folder);
  const text = JSON.stringify(frames.map((id) => [id.subject, id.sequence, id.frame]));
  const path = join(folder, 'long.json');
  await writeFile(path, text);
  const job = folderJob('coarse', { data: goldenFolder, models: folder, out: join(folder, 'out') });
  const predictions = { framesPerShard: 15, shardsAtOnce: 8 };
  return {
    ...job,
    configuration: { ...tinyNetworks, predictions },
    list: { path, sha256: listSha256(text), from: 0, to: frames.length },
  };
}

async function pretend(job: FolderPredictionJob, predicted: readonly FrameId[]): Promise<void> {
  for (const id of predicted) {
    const file = join(job.outputs.coarse!, framePath(id, 'ply'));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
  }
}

test('shards hold what is missing, enough for all workers to have some, and no more than is set', async () => {
  const job = await longJob();
  const lengths = async (change: object): Promise<number[]> => {
    const predictions = { framesPerShard: 15, shardsAtOnce: 8, ...change };
    const { shards } = await plan({ ...job, configuration: { ...job.configuration, predictions } });
    return shards.map(({ from, to }) => to - from);
  };
  assert.deepEqual(await lengths({}), [8, 8, 8, 8, 8], 'a model is not loaded for a handful of frames');
  assert.deepEqual(await lengths({ shardsAtOnce: 2 }), [10, 10, 10, 10]);
  assert.deepEqual(await lengths({ shardsAtOnce: 1 }), [15, 15, 10]);
  await pretend(job, [...frames.slice(0, 20), frames[30]!]);
  assert.deepEqual(await plan(job), {
    frames: 40,
    shards: [
      { from: 20, to: 28 },
      { from: 28, to: 37 },
      { from: 37, to: 40 },
    ],
  });
  await pretend(job, frames);
  assert.deepEqual(await plan(job), { frames: 40, shards: [] });
});

test('what is to be replaced is removed, once everything that is needed for that is there', async () => {
  const job = await longJob();
  await pretend(job, frames);
  const replacing = { ...job, overwrite: true };
  await assert.rejects(plan({ ...replacing, images: '/nonexistent' }), FoldersUnsuitable);
  assert.deepEqual((await plan(job)).shards, []);
  assert.equal((await plan(replacing)).shards.length, 5);
  assert.deepEqual(await readdir(join(job.outputs.coarse!, 's', 'q')), []);
});

test('replacing, a frame that fails does not keep the prediction of another model', async () => {
  const data = await copiedFolder();
  const models = temporaryFolder();
  await writeTinyModels(models);
  const job = folderJob('coarse', { data, models, out: join(models, 'out') });
  await predictFolders(job, () => {}, never);
  await writeTinyModels(models, 2);
  const [first] = goldenFrames;
  await rm(join(data, 'images', first.subject), { recursive: true });
  const { predicted, failures } = await predictFolders({ ...job, overwrite: true }, () => {}, never);
  assert.deepEqual([predicted, failures.length], [1, 1]);
  assert.deepEqual(await readdir(join(models, 'out', first.subject, first.sequence)), []);
});
