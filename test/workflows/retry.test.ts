import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityHeartbeat } from '../../activities/types.js';
import { RunError } from '../../client/connection/client.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { retryRun } from '../../client/runs/retryRun.js';
import { cancelRun, pauseRun, resumeRun, startRun } from '../../client/runs/runs.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { packed, testActivities, type TestActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const pretrained = {
  stage: 'coarse-pretraining',
  step: 5,
  loss: 1,
  checkpoint: { step: 5, key: 'k', modelSha256: 'a' },
  seconds: 1,
} as const;
const withTraining = (trainStage: TestActivities['trainStage']) =>
  testActivities([], { findDataset: async () => packed, trainStage });
const steps = ['dataset', 'coarse-pretraining'] as const;
const is = (reason: RunError['reason'], message: RegExp) => (error: unknown) =>
  error instanceof RunError && error.reason === reason && message.test(error.message);

test('what waits out a long back-off is tried at once, from its last heartbeat, and its attempts are counted on', async () => {
  const { client } = temporal;
  const attempts: { attempt: number; heartbeat: unknown }[] = [];
  const activities = withTraining(async () => {
    const { info, heartbeat } = Context.current();
    attempts.push({ attempt: info.attempt, heartbeat: info.heartbeatDetails });
    if (attempts.length === 2) return pretrained;
    const told: ActivityHeartbeat = { kind: 'training', progress: null, message: 'before the fault', preemptions: 0 };
    heartbeat.call(Context.current(), told);
    throw ApplicationFailure.create({ message: 'The bucket is away.', nextRetryDelay: '1 hour' });
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'away', configuration: testConfiguration(), steps });
    const waiting = await waitFor('the back-off', async () => {
      const { progress, activities: pending } = await describeRun(client, 'away');
      const [activity] = pending;
      return activity?.nextAttemptAt ? { progress, activity } : undefined;
    });
    const minutes = (waiting.activity.nextAttemptAt!.getTime() - Date.now()) / 60_000;
    assert.ok(minutes > 55 && minutes <= 60, `due in ${minutes} min`);
    assert.equal(waiting.activity.lastFailure, 'The bucket is away.');
    assert.deepEqual(waiting.progress?.steps[1]?.interruptions, { preemptions: 0, failures: 1 });
    const retried = await retryRun(client, 'away');
    assert.ok(retried.kind === 'tried');
    assert.deepEqual([retried.now.map(({ type }) => type), retried.others], [['trainStage'], []]);
    const result = (await client.workflow.getHandle('away').result()) as FullTrainingResult;
    assert.equal(result.stages[0]?.step, 5);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2],
    );
    assert.equal((attempts[1]!.heartbeat as { message?: string }).message, 'before the fault');
    await assert.rejects(retryRun(client, 'away'), is('not-running', /complete.*nothing to try again/));
  });
});

test('what runs is left alone; a paused run is not retried', async () => {
  const { client } = temporal;
  let calls = 0;
  const activities = withTraining(async () => {
    if (++calls === 2) return pretrained;
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    try {
      return await context.cancelled;
    } catch {
      throw new CancelledFailure('Stopped as asked.', [undefined, { preemptions: 2, failures: 1 }]);
    } finally {
      clearInterval(beat);
    }
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'busy', configuration: testConfiguration(), steps });
    await waitFor('the trainer', async () => calls > 0 || undefined);
    const retried = await retryRun(client, 'busy');
    assert.ok(retried.kind === 'tried');
    assert.deepEqual([retried.now, retried.others.map(({ state }) => state)], [[], ['running']]);
    await pauseRun(client, 'busy');
    await assert.rejects(retryRun(client, 'busy'), is('refused', /is paused: tempeh-flow unpause busy/));
    // What was counted before a pause still is while it lasts, and in the end.
    const interruptions = { preemptions: 2, failures: 1 };
    const { progress } = await describeRun(client, 'busy');
    assert.deepEqual(progress?.steps[1]?.interruptions, interruptions);
    await resumeRun(client, 'busy');
    const result = (await client.workflow.getHandle('busy').result()) as FullTrainingResult;
    assert.deepEqual({ ...result.stages[0] }, { ...pretrained, interruptions });
    assert.equal(calls, 2);
  });
});

test('what a step went through is counted over all of its run: paused or cancelled in a back-off, failed, resumed', async () => {
  const { client } = temporal;
  const run = 'counted';
  let calls = 0;
  const activities = withTraining(async () => {
    const nextRetryDelay = '1 hour';
    if (++calls <= 2) throw ApplicationFailure.create({ message: 'The bucket is away.', nextRetryDelay });
    if (calls > 3) return { ...pretrained, interruptions: { preemptions: 0, failures: 1 } };
    const details = [undefined, { preemptions: 1, failures: 0 }];
    throw ApplicationFailure.create({ type: 'TrainingDiverged', message: 'NaN', nonRetryable: true, details });
  });
  const told = async () => {
    const { status, progress } = await describeRun(client, run);
    return { status, ...progress?.steps[1]?.interruptions };
  };
  const backOff = () =>
    waitFor('the back-off', async () => {
      const { activities: pending } = await describeRun(client, run);
      return pending[0]?.nextAttemptAt ?? undefined;
    });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run, configuration: testConfiguration(), steps });
    await backOff();
    await pauseRun(client, run);
    assert.deepEqual(await told(), { status: 'RUNNING', preemptions: 0, failures: 1 });
    await resumeRun(client, run);
    await backOff();
    await cancelRun(client, run);
    assert.deepEqual(await told(), { status: 'CANCELLED', preemptions: 0, failures: 2 });
    await resumeRun(client, run);
    await assert.rejects(client.workflow.getHandle(run).result());
    assert.deepEqual(await told(), { status: 'FAILED', preemptions: 1, failures: 2 });
    await resumeRun(client, run);
    const result = (await client.workflow.getHandle(run).result()) as FullTrainingResult;
    assert.deepEqual({ ...result.stages[0] }, { ...pretrained, interruptions: { preemptions: 1, failures: 3 } });
    assert.deepEqual(await told(), { status: 'COMPLETED', preemptions: 1, failures: 3 });
  });
});

test('a run that has failed is started again', async () => {
  const { client } = temporal;
  let calls = 0;
  const activities = withTraining(async () => {
    if (++calls === 1) throw ApplicationFailure.nonRetryable('The list is missing.', 'DataUnusable');
    return pretrained;
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'failed', configuration: testConfiguration(), steps });
    await assert.rejects(client.workflow.getHandle('failed').result());
    assert.deepEqual(await retryRun(client, 'failed'), { kind: 'started', workflowId: 'failed' });
    await client.workflow.getHandle('failed').result();
  });
});
