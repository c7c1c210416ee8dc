import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { extendRun, startRun } from '../../client/runs/runs.js';
import { messages } from '../../configs/temporal.js';
import type { StageProgress, StageResult } from '../../training/process/protocol.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal, type TestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

/** Events after which this server says that a history is long enough; of others it is 4,096. */
const longEnough = 60;

let temporal: TestTemporal;
before(async () => {
  temporal = await startTestTemporal({}, { 'limit.historyCount.suggestContinueAsNew': String(longEnough) });
});
after(() => temporal.stop());

const progressAt = (step: number): StageProgress => ({
  stage: 'coarse-pretraining',
  step,
  totalSteps: 10_000_000,
  loss: 1,
  stepsPerSecond: 1,
  checkpointStep: step,
  bytesRead: 0,
  bytesWritten: 0,
  skippedBatches: 0,
});

test('a stage whose history has become long saves, and goes on in a new one, extended and known as it was', async () => {
  const { client } = temporal;
  const begun: { knownStep: number | undefined; iterations: number; runId: string }[] = [];
  let trains = true;
  const activities = testActivities([], {
    trainStage: async ({ stage, knownStep, configuration }) => {
      const context = Context.current();
      const { iterations } = configuration.training[stage];
      begun.push({ knownStep, iterations, runId: context.info.workflowExecution?.runId ?? '' });
      while (trains && stage === 'coarse-pretraining') {
        context.heartbeat({ kind: 'training', progress: null, message: null, preemptions: 0 });
        await sleep(20);
        // As a trainer does: it has saved when it ends.
        context.cancellationSignal.throwIfAborted();
      }
      return {
        stage,
        step: iterations,
        loss: 1,
        checkpoint: { step: iterations, key: 'k', modelSha256: 'a' },
        seconds: 1,
      };
    },
  });
  const configuration = testConfiguration({
    dataset: { ...testConfiguration().dataset, layout: { ...testConfiguration().dataset.layout, test: null } },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    const steps = ['coarse-pretraining', 'coarse-finetuning'] as const;
    await startRun(client, { run: 'long', configuration, steps });
    await waitFor('training', async () => (begun.length > 0 ? true : undefined));
    const iterations = configuration.training['coarse-pretraining'].iterations + 5;
    await extendRun(client, 'long', { stage: 'coarse-pretraining', iterations });
    const stage = client.workflow.getHandle('long/coarse-pretraining');
    for (let step = 1; step <= 60; step++) await stage.signal(messages.stageProgress, progressAt(step));
    await waitFor('a new execution', async () =>
      new Set(begun.map(({ runId }) => runId)).size >= 3 ? true : undefined,
    );
    const last = begun.at(-1)!;
    assert.ok(last.knownStep !== undefined && last.knownStep > 5, 'it knows the checkpoints of the executions before');
    assert.equal(last.iterations, iterations, 'it trains as far as it was extended to');
    // It is one run to whoever looks at it.
    const status = await client.workflow
      .getHandle('long')
      .query<{ steps: { step: string; state: string }[] }>('progress');
    assert.equal(status.steps.find(({ step }) => step === 'coarse-pretraining')?.state, 'running');
    trains = false;
    const result = (await client.workflow.getHandle('long').result()) as FullTrainingResult;
    assert.deepEqual(
      result.stages.map(({ stage: name, step }: StageResult) => [name, step]),
      [
        ['coarse-pretraining', iterations],
        ['coarse-finetuning', configuration.training['coarse-finetuning'].iterations],
      ],
    );
  });
  for await (const { workflowId, runId } of client.workflow.list({ query: "WorkflowType = 'coarsePretraining'" })) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    assert.ok(events!.length < longEnough + 100, `${events!.length} events in one execution`);
  }
});

test('the histories of both kinds replay', async () => {
  const { count, errors } = await replayAll(temporal.client);
  assert.deepEqual(errors, []);
  assert.ok(count >= 4);
});
