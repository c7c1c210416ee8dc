import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { CancelledFailure, ApplicationFailure } from '@temporalio/common';
import type { ActivityHeartbeat } from '../../activities/types.js';
import type { StageProgress } from '../../training/process/protocol.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { cancelRun, pauseRun, resumeRun, startRun } from '../../client/runs/runs.js';
import { RunError } from '../../client/connection/client.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import type { RunStep } from '../../configs/temporal.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

function progressAt(step: number): StageProgress {
  return {
    stage: 'coarse-pretraining',
    step,
    totalSteps: 300_000,
    loss: 1.5,
    stepsPerSecond: 10,
    checkpointStep: step,
    bytesRead: 0,
    bytesWritten: 0,
    skippedBatches: 0,
  };
}

/** Trains until it is cancelled, as a trainer does that saves at that; only its `last` call ends by itself. */
function training(steps: number[], last: number) {
  return async () => {
    steps.push(steps.length + 1);
    const step = steps.length * 100;
    if (steps.length === last) {
      const checkpoint = { step, key: 'k', modelSha256: 'a' };
      return { stage: 'coarse-pretraining' as const, step, loss: 1, checkpoint, seconds: 1 };
    }
    const context = Context.current();
    const beat = setInterval(() => {
      const heartbeat: ActivityHeartbeat = {
        kind: 'training',
        progress: progressAt(step),
        message: null,
        preemptions: 0,
      };
      context.heartbeat(heartbeat);
    }, 100);
    try {
      return await context.cancelled;
    } catch {
      throw new CancelledFailure('Stopped as asked.', [progressAt(step + 7)]);
    } finally {
      clearInterval(beat);
    }
  };
}

const start = (run: string, steps: readonly RunStep[] = ['dataset', 'coarse-pretraining']) =>
  startRun(temporal.client, { run, configuration: testConfiguration(), steps });

/** Live: what a heartbeat says, not what the workflow knows. */
async function trainedTo(run: string, step: number): Promise<void> {
  await waitFor(`step ${step} of ${run}`, async () => {
    const { progress } = await describeRun(temporal.client, run);
    return progress?.training?.step === step ? true : undefined;
  });
}

test('paused, what runs has saved and stopped when the command returns; resumed, the same step goes on', async () => {
  const { client } = temporal;
  const trained: number[] = [];
  const told: string[] = [];
  const activities = testActivities([], {
    findDataset: async () => packed,
    trainStage: training(trained, 2),
    notify: async ({ kind, text }) => void told.push(`${kind}: ${text}`),
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('paused');
    await trainedTo('paused', 100);
    await assert.rejects(resumeRun(client, 'paused'), /^RunError: paused is running, and not paused/);
    await pauseRun(client, 'paused');
    const { progress, activities, status } = await describeRun(client, 'paused');
    assert.equal(status, 'RUNNING');
    assert.deepEqual(activities, []);
    assert.equal(progress?.paused, true);
    assert.equal(progress.steps[1]?.state, 'paused');
    const listed = await waitFor('the list', async () => {
      const runs = await listRuns(client, 50, { state: 'paused', dataset: 'heads' });
      return runs.length > 0 ? runs : undefined;
    });
    assert.deepEqual(
      listed.map(({ run }) => run),
      ['paused'],
      'those that wait for somebody can be listed',
    );
    // Where the trainer saved, as it said when it stopped.
    assert.equal(progress.training?.step, 107);
    const twice = (error: unknown) => error instanceof RunError && /paused already/.test(error.message);
    await assert.rejects(pauseRun(client, 'paused'), twice);
    assert.equal(trained.length, 1);
    await resumeRun(client, 'paused');
    const result = (await client.workflow.getHandle('paused').result()) as FullTrainingResult;
    assert.equal(result.stages[0]?.step, 200);
    const { progress: last } = await describeRun(client, 'paused');
    assert.deepEqual([last?.steps[1]?.state, last?.paused], ['done', false]);
    assert.match(
      told.find((text) => text.startsWith('paused'))!,
      /tempeh-flow unpause paused$/,
    );
    assert.equal(told.filter((text) => text.startsWith('running')).length, 1);
  });
});

test('a step that is paused by itself shows as paused in its run, which can resume it', async () => {
  const { client } = temporal;
  const trained: number[] = [];
  const activities = testActivities([], { findDataset: async () => packed, trainStage: training(trained, 2) });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('step-paused');
    await trainedTo('step-paused', 100);
    await client.workflow.getHandle('step-paused/coarse-pretraining').executeUpdate('pause');
    await waitFor('the report of the step', async () => {
      const { progress } = await describeRun(client, 'step-paused');
      return progress?.steps[1]?.state === 'paused' ? true : undefined;
    });
    // As clients of before do.
    await client.workflow.getHandle('step-paused').executeUpdate('resume');
    await client.workflow.getHandle('step-paused').result();
  });
});

test('cancelled, the trainer saves, everything ends as cancelled, and resuming goes on', async () => {
  const { client } = temporal;
  const trained: number[] = [];
  const activities = testActivities([], { findDataset: async () => packed, trainStage: training(trained, 2) });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('cancelled');
    await trainedTo('cancelled', 100);
    await cancelRun(client, 'cancelled');
    const { status, progress } = await describeRun(client, 'cancelled');
    assert.equal(status, 'CANCELLED');
    assert.equal(progress?.steps[1]?.state, 'cancelled');
    const step = await client.workflow.getHandle('cancelled/coarse-pretraining').describe();
    assert.equal(step.status.name, 'CANCELLED');
    await resumeRun(client, 'cancelled');
    await client.workflow.getHandle('cancelled').result();
    const resumed = (await describeRun(client, 'cancelled')).progress?.steps[1];
    const taken = progress.steps[1]?.seconds ?? 0;
    assert.ok(taken > 0 && resumed?.secondsBefore === taken, 'what a step took before is not forgotten');
    assert.ok((resumed.seconds ?? 0) >= taken);
  });
});

test('a paused run can be cancelled', async () => {
  const { client } = temporal;
  const activities = testActivities([], { findDataset: async () => packed, trainStage: training([], 2) });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('both', ['coarse-pretraining']);
    await trainedTo('both', 100);
    await pauseRun(client, 'both');
    await cancelRun(client, 'both');
    assert.equal((await describeRun(client, 'both')).status, 'CANCELLED');
  });
});

test('a checkpoint that a trainer reports reaches the run, its search attribute and its page', async () => {
  const { client } = temporal;
  const activities = testActivities([], { findDataset: async () => packed, trainStage: training([], 2) });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('told');
    await trainedTo('told', 100);
    await client.workflow.getHandle('told/coarse-pretraining').signal('stageProgress', progressAt(5000));
    const details = await waitFor('the report of the step', async () => {
      const metadata = await client.workflow.getHandle('told').query<object>('__temporal_workflow_metadata');
      const text = JSON.stringify(metadata);
      return text.includes('5,000') ? text : undefined;
    });
    assert.match(details, /step 5,000 of 300,000 .*loss 1\.500 · last checkpoint at step 5,000/);
    const { searchAttributes } = await client.workflow.getHandle('told').describe();
    assert.deepEqual(searchAttributes['TempehStep'], [5000]);
    await cancelRun(client, 'told');
  });
});

test('a data worker that is lost with its disk is replaced, and its work starts anew', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const activities = testActivities(calls, {
    claimDataWorker: async () =>
      calls.filter((call) => call === 'claimDataWorker').length === 1 ? 'gone' : 'tempeh-data/test-worker',
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('lost', ['dataset']);
    const interruptions = { preemptions: 0, failures: 1 };
    assert.deepEqual(await client.workflow.getHandle('lost/dataset').result(), { ...packed, interruptions });
  });
  assert.equal(calls.filter((call) => call === 'claimDataWorker').length, 2);
  assert.equal(calls.filter((call) => call === 'fetchBundle first').length, 1);
});

test('a volume that is gone when it is to be extracted is fetched again, but not for ever', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const missing = ApplicationFailure.nonRetryable('v.zip.003 is missing. Fetch the bundle again.', 'VolumeMissing');
  const activities = testActivities(calls, {
    extractBundle: async (input) => {
      if (input.run === 'gone' || calls.length < 8) throw missing;
      return testActivities([]).extractBundle(input);
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('refetched', ['dataset']);
    assert.deepEqual(await client.workflow.getHandle('refetched/dataset').result(), packed);
    await start('gone', ['dataset']);
    await assert.rejects(client.workflow.getHandle('gone/dataset').result());
    assert.equal((await describeRun(client, 'gone')).failure, 'v.zip.003 is missing. Fetch the bundle again.');
  });
});

test('shards run within the limit; one that cannot be retried cancels the others, and is what the run reports', async () => {
  const { client } = temporal;
  const purpose = 'refinement-input' as const;
  const shards = [0, 1, 2, 3, 4].map((index) => ({ index, purpose, from: index, to: index + 1 }));
  const running = new Set<number>();
  const started: number[] = [];
  let most = 0;
  const activities = testActivities([], {
    planPredictions: async () => ({ shards, frames: 7 }),
    predictShard: async ({ shard }) => {
      const { index } = shard;
      running.add(index);
      started.push(index);
      most = Math.max(most, running.size);
      try {
        if (index < 2) return { predicted: 1, skipped: 0, failures: [], seconds: 1 };
        await waitFor('the other lane', async () => started.length === 4 || undefined);
        if (index === 3) throw ApplicationFailure.nonRetryable('The calibration of s/q is missing.', 'DataUnusable');
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 50);
        return await context.cancelled.finally(() => clearInterval(beat));
      } finally {
        running.delete(index);
      }
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    const configuration = testConfiguration({ predictions: { shardsAtOnce: 2 } });
    await startRun(client, { run: 'shards', configuration, steps: ['predictions'] });
    await assert.rejects(client.workflow.getHandle('shards/predictions').result());
    const { status, failure, progress } = await describeRun(client, 'shards');
    assert.deepEqual([status, failure], ['FAILED', 'The calibration of s/q is missing.']);
    assert.deepEqual([progress?.predictions?.done, progress?.predictions?.total], [4, 7]);
  });
  assert.equal(most, 2);
  assert.deepEqual(started.sort(), [0, 1, 2, 3]);
});

test('frames that a shard has predicted so far count, also as seen from the run', async () => {
  const { client } = temporal;
  const activities = testActivities([], {
    findDataset: async () => packed,
    predictShard: async () => {
      const context = Context.current();
      const progress = { done: 3, total: 5, skipped: 0, framesPerSecond: 1 };
      const heartbeat: ActivityHeartbeat = { kind: 'prediction', progress, message: null, preemptions: 0 };
      const beat = setInterval(() => context.heartbeat(heartbeat), 50);
      return context.cancelled.finally(() => clearInterval(beat));
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await start('frames', ['dataset', 'predictions']);
    // Five of ten were there, as `planPredictions` says.
    await waitFor('5 + 3 frames', async () => {
      const { progress } = await describeRun(client, 'frames');
      return progress?.predictions?.done === 8 && progress.predictions.total === 10 ? true : undefined;
    });
    await cancelRun(client, 'frames');
  });
});

test('every history of this file replays: the workflows are deterministic', async () => {
  const { count, errors } = await replayAll(temporal.client);
  assert.deepEqual(errors, []);
  assert.ok(count >= 15, `${count} histories`);
});
