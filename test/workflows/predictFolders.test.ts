import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { FolderPredictionInput } from '../../activities/types.js';
import type { FolderPlan, FrameFailure } from '../../inference/folders/job.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startFolderPrediction } from '../../client/folderPredictions.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { cancelRun, configurationOf, pauseRun, resumeRun } from '../../client/runs/runs.js';
import type { FolderPredictionSummary } from '../../workflows/types.js';
import { folderJob } from '../inference/folderJob.js';
import { goldenFolder } from '../datasets/reader/goldenFolder.js';
import { testActivities, type TestActivities } from './support/activities.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
const { client } = temporal;
after(() => temporal.stop());

function inputOf(run: string, change: Partial<FolderPredictionInput['job']> = {}): FolderPredictionInput {
  const places = { data: goldenFolder, models: '/models', out: '/predictions' };
  const job = folderJob('coarse', places, change);
  return { run, job: { ...job, list: { ...job.list, to: 30 } } };
}

const plan: FolderPlan = {
  frames: 30,
  shards: [
    { from: 10, to: 20 },
    { from: 20, to: 30 },
  ],
};
const planned: Partial<TestActivities> = { planFolderPrediction: async () => plan };

function withActivities<T>(replaced: Partial<TestActivities>, work: (calls: string[]) => Promise<T>): Promise<T> {
  const calls: string[] = [];
  return temporal.withWorkers(testActivities(calls, replaced), 'all', () => work(calls));
}

function resultOf(run: string): Promise<FolderPredictionSummary> {
  return client.workflow.getHandle(run).result() as Promise<FolderPredictionSummary>;
}

/** Until the activity is cancelled, which a heartbeat learns. */
async function cancelled(): Promise<never> {
  const context = Context.current();
  const heartbeats = setInterval(() => context.heartbeat(), 50);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(heartbeats);
  }
}

const failureOf = (frame: number): FrameFailure => ({
  id: { subject: 's', sequence: 'q', frame: String(frame) },
  reason: 'it has one view',
});

test('the shards of the plan are predicted; failed frames are noted beside the predictions, and reported', async () => {
  const parts: unknown[] = [];
  let noted: readonly FrameFailure[] = [];
  const replaced: Partial<TestActivities> = {
    ...planned,
    predictFolderShard: async ({ job: { list, overwrite } }) => {
      parts.push([list.from, list.to, overwrite]);
      return { predicted: 9, skipped: 0, failures: [failureOf(list.from)], seconds: 1 };
    },
    noteFailedFrames: async ({ failures }) => {
      noted = failures;
    },
  };
  await withActivities(replaced, async () => {
    await startFolderPrediction(client, inputOf('predict-shards', { overwrite: true }));
    const { out, frames, predicted, failures, firstFailures } = await resultOf('predict-shards');
    assert.deepEqual([out, frames, predicted, failures], ['/predictions', 30, 18, 2]);
    assert.deepEqual(firstFailures, noted);
    assert.deepEqual(noted.map(({ id }) => id.frame).sort(), ['10', '20']);
    // What the planning has removed need not be overwritten: a retried shard keeps what its first attempt did.
    assert.deepEqual(parts.sort(), [
      [10, 20, false],
      [20, 30, false],
    ]);
    const { progress } = await describeRun(client, 'predict-shards');
    assert.deepEqual([progress?.predictions?.done, progress?.predictions?.total], [30, 30]);
    assert.equal(progress?.steps[0]?.note, '30 frames, 10 of them before; 2 failed');
  });
  const listed = (await listRuns(client)).find(({ run }) => run === 'predict-shards');
  assert.deepEqual([listed?.status, listed?.stage, listed?.dataset], ['COMPLETED', 'predictions', null]);
});

test('without any prediction in the end it has failed', async () => {
  const predictFolderShard: TestActivities['predictFolderShard'] = async ({ job: { list } }) => {
    const failures = Array.from({ length: list.to - list.from }, (_, i) => failureOf(list.from + i));
    return { predicted: 0, skipped: 0, failures, seconds: 1 };
  };
  const replaced = { predictFolderShard };
  await withActivities(replaced, async (calls) => {
    await startFolderPrediction(client, inputOf('predict-none'));
    await assert.rejects(resultOf('predict-none'));
    const { failure } = await describeRun(client, 'predict-none');
    assert.equal(failure, 'None of 30 frames could be predicted; the first, s/q/0: it has one view');
    assert.ok(calls.includes('noteFailedFrames'));
  });
});

test('what a worker cannot see ends it with the worker’s message; resumed, it goes on with what it replaces', async () => {
  let sees = false;
  const overwrites: boolean[] = [];
  const replaced: Partial<TestActivities> = {
    planFolderPrediction: async ({ job }) => {
      overwrites.push(job.overwrite);
      return plan;
    },
    predictFolderShard: async ({ job: { list } }) => {
      if (!sees) throw ApplicationFailure.nonRetryable('/images: gpu-7 sees no such folder.', 'ConfigurationInvalid');
      return { predicted: list.to - list.from, skipped: 0, failures: [], seconds: 1 };
    },
  };
  await withActivities(replaced, async () => {
    await startFolderPrediction(client, inputOf('predict-resumed', { overwrite: true }));
    await assert.rejects(resultOf('predict-resumed'));
    const { status, failure } = await describeRun(client, 'predict-resumed');
    assert.deepEqual([status, failure], ['FAILED', '/images: gpu-7 sees no such folder.']);
    await assert.rejects(
      configurationOf(client, 'predict-resumed'),
      /predict-resumed is a prediction of folders: start it anew with tempeh-flow predict/,
    );
    sees = true;
    await resumeRun(client, 'predict-resumed');
    assert.equal((await resultOf('predict-resumed')).predicted, 20);
    // The earlier predictions were removed before the first shard: what has been made since then stays.
    assert.deepEqual(overwrites, [true, false]);
  });
});

test('cancelled before the planning is done, a prediction that replaces still does so when it is resumed', async () => {
  const overwrites: boolean[] = [];
  let hold = true;
  const replaced: Partial<TestActivities> = {
    planFolderPrediction: async ({ job }) => {
      overwrites.push(job.overwrite);
      if (hold) throw ApplicationFailure.retryable('not yet', 'Infrastructure');
      return plan;
    },
  };
  await withActivities(replaced, async () => {
    await startFolderPrediction(client, inputOf('predict-cancelled', { overwrite: true }));
    await waitFor('the planning', async () => (overwrites.length > 0 ? true : undefined));
    await assert.rejects(
      startFolderPrediction(client, inputOf('predict-cancelled')),
      /predict-cancelled is running already/,
    );
    await cancelRun(client, 'predict-cancelled');
    assert.equal((await describeRun(client, 'predict-cancelled')).status, 'CANCELLED');
    hold = false;
    await resumeRun(client, 'predict-cancelled');
    await resultOf('predict-cancelled');
    assert.ok(overwrites.every((overwrite) => overwrite));
  });
});

test('paused, its shards end, and are predicted when it goes on', async () => {
  let waits = true;
  let started = 0;
  const replaced: Partial<TestActivities> = {
    ...planned,
    predictFolderShard: async ({ job: { list } }) => {
      started++;
      if (waits) await cancelled();
      return { predicted: list.to - list.from, skipped: 0, failures: [], seconds: 1 };
    },
  };
  await withActivities(replaced, async () => {
    await startFolderPrediction(client, inputOf('predict-paused'));
    await waitFor('the shards', async () => (started === 2 ? true : undefined));
    await pauseRun(client, 'predict-paused');
    assert.equal((await describeRun(client, 'predict-paused')).progress?.steps[0]?.state, 'paused');
    waits = false;
    await resumeRun(client, 'predict-paused');
    assert.equal((await resultOf('predict-paused')).predicted, 20);
  });
});

test('what ran here replays', async () => {
  assert.deepEqual((await replayAll(client)).errors, []);
});
