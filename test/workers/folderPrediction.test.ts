import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test, type TestContext } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import type { FolderPredictionInput } from '../../activities/types.js';
import { framePath, imagePath } from '../../datasets/layout.js';
import type { FrameId } from '../../datasets/types.js';
import type { FolderPredictionJob } from '../../inference/folders/job.js';
import { listSha256 } from '../../inference/folders/list.js';
import { predictFolders } from '../../inference/folders/predictFrameList.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startFolderPrediction } from '../../client/folderPredictions.js';
import type { FolderPredictionSummary } from '../../workflows/types.js';
import { goldenFolder, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { folderJob, tinyNetworks } from '../inference/folderJob.js';
import { writeTinyModels } from '../inference/tinyModels.js';
import { testActivities } from '../workflows/support/activities.js';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { forkGpuWorker, killForkedWorkers } from './support/gpuWorkers.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());
afterEach(killForkedWorkers);

const [{ subject, sequence, frame: goldenFrame }] = goldenFrames;
const views = ['00_A', '00_B', '01_A', '01_B'];
const frameOf = (number: number): FrameId => ({ subject, sequence, frame: String(100 + number) });

/** Folders of one golden frame under many numbers, and a job of them all. */
async function manyFrames(context: TestContext, count: number): Promise<FolderPredictionJob> {
  const folder = temporaryFolder();
  await writeTinyModels(folder);
  const frames = Array.from({ length: count }, (_, i) => frameOf(i));
  for (const id of frames) {
    await mkdir(join(folder, 'images', subject, sequence, id.frame), { recursive: true });
    for (const view of views) {
      const golden = join(goldenFolder, 'images', imagePath({ subject, sequence, frame: goldenFrame }, view));
      await symlink(golden, join(folder, 'images', imagePath(id, view)));
    }
  }
  const text = JSON.stringify(frames.map((id) => [id.subject, id.sequence, id.frame]));
  const path = join(folder, 'many.json');
  await writeFile(path, text);
  const job = folderJob('coarse', { data: goldenFolder, models: folder, out: join(folder, 'out') });
  const { predictions, supervision } = tinyNetworks;
  return {
    ...job,
    // The first sign of a predictor's life comes when TensorFlow is loaded.
    configuration: {
      ...tinyNetworks,
      predictions: { ...predictions, framesPerShard: count / 2 },
      supervision: { ...supervision, progressTimeoutSeconds: 10 },
    },
    images: join(folder, 'images'),
    list: { path, sha256: listSha256(text), from: 0, to: count },
  };
}

/** What the workers' owner allows. */
function foldersOf({ outputs }: FolderPredictionJob): string[] {
  return [join(outputs.coarse!, '..'), goldenFolder, '/nonexistent'];
}

function resultOf(run: string): Promise<FolderPredictionSummary> {
  return temporal.client.workflow.getHandle(run).result() as Promise<FolderPredictionSummary>;
}

/** Frames whose predictions are there, by their numbers. */
async function predictedOf({ outputs }: FolderPredictionJob): Promise<number[]> {
  const names = await readdir(join(outputs.coarse!, subject, sequence)).catch(() => []);
  return names.map((name) => Number(name.split('.').at(-2)) - 100);
}

/** The process of the worker that predicts the shard of a frame, now. */
async function workerOf(run: string, frame: number): Promise<number | undefined> {
  const handle = temporal.client.workflow.getHandle(run);
  const { events } = await handle.fetchHistory();
  const shard = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    const payload = scheduled?.activityType?.name === 'predictFolderShard' && scheduled.input?.payloads?.[0];
    if (!payload) return [];
    const { list } = defaultPayloadConverter.fromPayload<FolderPredictionInput>(payload).job;
    return frame >= list.from && frame < list.to ? [scheduled.activityId] : [];
  })[0];
  const { raw } = await handle.describe();
  const pending = raw.pendingActivities?.find(({ activityId }) => activityId === shard);
  return pending === undefined ? undefined : Number(pending.lastWorkerIdentity?.split(':').at(-1));
}

test('two workers share the frames; one is killed in the middle, and nothing is lost or done twice', async (context) => {
  const count = 16;
  const job = await manyFrames(context, count);
  const out = job.outputs.coarse!;
  const alone = join(out, '..', 'alone');
  const undisturbed = { ...job, list: { ...job.list, to: 1 }, outputs: { coarse: alone, refinement: null } };
  await predictFolders(undisturbed, () => {}, new AbortController().signal);
  const expected = await readFile(join(alone, framePath(frameOf(0), 'ply')));

  await temporal.withWorkers(testActivities([]), 'data', async () => {
    const workers = await Promise.all(
      ['one', 'other'].map((name) => forkGpuWorker(temporal.settings, join(out, '..', name), foldersOf(job))),
    );
    await startFolderPrediction(temporal.client, { run: 'shared', job });
    // On a slow machine the shard of a frame that is there may have ended already.
    const { first, pid } = await waitFor('a prediction of a shard that is under way', async () => {
      for (const frame of await predictedOf(job)) {
        const worker = await workerOf('shared', frame);
        if (worker !== undefined) return { first: frame, pid: worker };
      }
      return undefined;
    });
    const killed = workers.find((worker) => worker.pid === pid);
    assert.ok(killed, `no worker has process ${pid}`);
    killed.kill('SIGKILL');
    const file = join(out, framePath(frameOf(first), 'ply'));
    const before = await stat(file);
    const lost = await waitFor('the end of its attempt', async () => {
      const { activities } = await describeRun(temporal.client, 'shared');
      return activities.find(({ lastFailure }) => lastFailure !== null);
    });
    assert.match(lost.lastFailure!, /Its worker was lost/);
    const { frames, predicted, failures } = await resultOf('shared');
    assert.deepEqual([frames, failures], [count, 0]);
    assert.ok(predicted < count, 'what the killed worker had predicted was not predicted again');
    assert.equal((await stat(file)).mtimeMs, before.mtimeMs);
    assert.equal((await predictedOf(job)).length, count);
    for (let frame = 0; frame < count; frame++) {
      const found = await readFile(join(out, framePath(frameOf(frame), 'ply')));
      assert.ok(found.equals(expected), `frame ${frame} is as an undisturbed prediction has it`);
    }
    // Again: nothing is left to do, and the models are not even loaded.
    await startFolderPrediction(temporal.client, { run: 'shared', job });
    assert.equal((await resultOf('shared')).predicted, 0);
  });
});

test('a worker that does not see the folders names itself and what it lacks; a bad frame is fatal only if that is asked', async (context) => {
  const job = await manyFrames(context, 2);
  const directory = join(job.outputs.coarse!, '..', 'worker');
  await rm(join(job.images, imagePath(frameOf(1), views[0]!), '..'), { recursive: true });
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    await forkGpuWorker(temporal.settings, directory, foldersOf(job));
    const failureOf = async (run: string, change: Partial<FolderPredictionJob>): Promise<string | null> => {
      await startFolderPrediction(temporal.client, { run, job: { ...job, ...change } });
      await assert.rejects(resultOf(run));
      return (await describeRun(temporal.client, run)).failure;
    };
    const foreign = await failureOf('foreign', { outputs: { ...job.outputs, coarse: '/etc/predictions' } });
    assert.match(foreign ?? '', /the output of the coarse stage is \/etc\/predictions, which is not below a folder/);
    assert.match(foreign ?? '', /set TEMPEH_FOLDERS=\/etc\/predictions/);
    const unseen = await failureOf('unseen', { images: '/nonexistent/images' });
    assert.match(
      unseen ?? '',
      /^\/nonexistent\/images: \S+ sees no such folder\. Every machine that predicts needs it/,
    );
    const strict = await failureOf('strict', { strict: true });
    assert.match(strict ?? '', /101: .*there is no such folder/);
    await startFolderPrediction(temporal.client, { run: 'one-bad', job });
    const { predicted, failures, firstFailures } = await resultOf('one-bad');
    assert.ok(predicted <= 1 && failures === 1);
    assert.equal(firstFailures[0]?.id.frame, '101');
    const noted = JSON.parse(await readFile(join(job.outputs.coarse!, 'failed-frames.json'), 'utf8')) as object[];
    assert.equal(noted.length, 1);
    assert.deepEqual(await predictedOf(job), [0]);
  });
});
