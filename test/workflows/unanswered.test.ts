import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { attemptLines } from '../../cli/runs/watching/attemptLines.js';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import type { AttemptRecord, Interruptions } from '../../activities/types.js';
import { describeRun, type RunDescription } from '../../client/runs/describeRun.js';
import { beforeRun } from '../../client/runs/attempts.js';
import { cancelRun, startRun } from '../../client/runs/runs.js';
import { runSteps } from '../../configs/temporal.js';
import type { StageProgress } from '../../training/process/protocol.js';
import { testActivities, type TestActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const progress: StageProgress = {
  stage: 'coarse-finetuning',
  step: 107,
  totalSteps: 300_000,
  loss: 1.5,
  stepsPerSecond: 10,
  checkpointStep: 107,
  bytesRead: 0,
  bytesWritten: 0,
  skippedBatches: 0,
};
const attempt: AttemptRecord = {
  attempt: 1,
  worker: 'a:1',
  beganAt: '2026-11-29T22:24:00.000Z',
  seconds: 60,
  fromStep: 0,
  toStep: 107,
  end: 'stopped',
};
const interruptions: Interruptions = { preemptions: 2, failures: 1, attempts: [attempt], warnings: ['a batch'] };

/** Activities whose second stage does something else. */
function activitiesWith(trainStage: () => Promise<never>, replaced: Partial<TestActivities> = {}): TestActivities {
  const usual = testActivities([]);
  return testActivities([], {
    ...replaced,
    trainStage: async (input) => {
      if (input.stage === 'coarse-finetuning') return trainStage();
      return { ...(await usual.trainStage(input)), interruptions };
    },
  });
}

/** What is known of a run while its data worker answers, and once there is none. */
async function bothWays(
  run: string,
  activities: TestActivities,
  end: (run: string) => Promise<unknown>,
): Promise<{ answered: RunDescription; alone: RunDescription }> {
  const configuration = testConfiguration();
  const [answered, before] = await temporal.withWorkers(activities, 'all', async () => {
    await startRun(temporal.client, { run, configuration });
    await end(run);
    return Promise.all([describeRun(temporal.client, run), beforeRun(temporal.client, run, configuration)]);
  });
  const began = performance.now();
  const alone = await describeRun(temporal.client, run);
  assert.ok(performance.now() - began < 20_000, 'whoever asks waits for seconds');
  assert.ok(answered.progress !== null && alone.progress === null && alone.recorded !== undefined);
  // What a run that is started again goes on with must not depend on a worker's answering in time.
  const {
    secondsBefore: took = {},
    knownSteps,
    interruptions: lived,
  } = await beforeRun(temporal.client, run, configuration);
  const { secondsBefore = {} } = before;
  assert.deepEqual(lived, before.interruptions);
  // These trainers report no checkpoints on the way: workflows do not know them, results and ends do.
  assert.equal(knownSteps?.['coarse-pretraining'], 300_000);
  assert.deepEqual({ ...knownSteps, ...before.knownSteps }, knownSteps);
  assert.deepEqual(Object.keys(took), Object.keys(secondsBefore));
  for (const step of runSteps) assert.ok(Math.abs((took[step] ?? 0) - (secondsBefore[step] ?? 0)) < 2, step);
  return { answered, alone };
}

/** What differs by the instants at which the one or the other took note is left out. */
const compared = ({ progress: own, recorded }: RunDescription) =>
  (own ?? recorded)?.steps.map(({ startedAt, seconds, failed: _, ...rest }) => ({
    ...rest,
    began: startedAt !== null,
    took: seconds !== null,
  }));

const resultOf = (run: string) =>
  temporal.client.workflow
    .getHandle(run)
    .result()
    .catch(() => undefined);

// The first: Temporal knows who has asked for a minute and more.
test('a run that is under way while no data worker runs: its steps, and which worker to start', async () => {
  const begun = activitiesWith(async () => {
    throw ApplicationFailure.retryable('unused');
  });
  await temporal.withWorkers(begun, 'data', async () => {
    await startRun(temporal.client, { run: 'waiting', configuration: testConfiguration() });
    await waitFor('the first stage', async () => {
      const { activities } = await describeRun(temporal.client, 'waiting');
      return activities.some(({ type }) => type === 'trainStage') ? true : undefined;
    });
    const lines = await waitFor('a word about the queue', async () => {
      const text = progressLines(await describeRun(temporal.client, 'waiting')).join('\n');
      return text.includes('no worker asks') ? text : undefined;
    });
    assert.match(lines, /▸ {2}coarse-pretraining .*waits for a worker/);
    assert.match(lines, /! no worker asks for tasks of tempeh-gpu; to start one: tempeh-flow worker gpu$/m);
  });
  const alone = await describeRun(temporal.client, 'waiting');
  const lines = progressLines(alone).join('\n');
  assert.match(lines, /✔ {2}dataset .*heads: 8 frames to train/);
  assert.match(lines, /▸ {2}coarse-pretraining/);
  assert.match(lines, /no worker asks for tasks of tempeh-gpu/);
});

test('of a run that is complete, status shows the same steps where no data worker answers any more', async () => {
  const activities = testActivities([]);
  const usual = testActivities([], {
    trainStage: async (input) => ({ ...(await activities.trainStage(input)), interruptions }),
  });
  const { answered, alone } = await bothWays('complete', usual, resultOf);
  assert.deepEqual(compared(alone), compared(answered));
  assert.deepEqual(attemptLines(alone), attemptLines(answered));
  const [title, ...lines] = progressLines(alone);
  assert.match(title!, /no data worker answers: this is what Temporal has of it/);
  assert.match(lines.join('\n'), /✔ {2}coarse-pretraining .*step 300000, loss 0\.5000; 2 pre-emptions, 1 failure/);
  assert.match(lines.join('\n'), /✔ {2}evaluation .*4 test frames/);
});

test('of one that has failed: at which step, of what, and after which attempts', async () => {
  const failing = activitiesWith(async () => {
    throw ApplicationFailure.create({
      type: 'TrainingDiverged',
      message: 'the loss is not finite',
      nonRetryable: true,
      details: [progress, interruptions],
    });
  });
  const { answered, alone } = await bothWays('failed', failing, resultOf);
  assert.deepEqual(compared(alone), compared(answered));
  assert.equal(alone.failure, answered.failure);
  assert.match(
    progressLines(alone).join('\n'),
    /✘ {2}coarse-finetuning .*the loss is not finite; 2 pre-emptions, 1 failure/,
  );
  assert.match(progressLines(alone).join('\n'), /· {2}evaluation$/m);
});

test('of one that was cancelled: where it stands', async () => {
  let isTraining = false;
  const training = activitiesWith(async () => {
    isTraining = true;
    const context = Context.current();
    context.heartbeat({ kind: 'training', progress, message: null, preemptions: 0 });
    const beat = setInterval(
      () => context.heartbeat({ kind: 'training', progress, message: null, preemptions: 0 }),
      100,
    );
    try {
      return await context.cancelled;
    } catch {
      throw new CancelledFailure('Stopped as asked.', [progress, interruptions]);
    } finally {
      clearInterval(beat);
    }
  });
  const { answered, alone } = await bothWays('cancelled', training, async (run) => {
    await waitFor('training', async () => (isTraining ? true : undefined));
    await cancelRun(temporal.client, run);
  });
  assert.deepEqual(compared(alone), compared(answered));
  for (const description of [answered, alone]) {
    assert.match(progressLines(description).join('\n'), /✘ {2}coarse-finetuning .*step 107 of 300000/);
  }
});
