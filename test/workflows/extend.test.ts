import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { RunError } from '../../client/connection/client.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { cancelRun, configurationOf, extendRun, pauseRun, resumeRun, startRun } from '../../client/runs/runs.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const iterationsOf = ({ training }: RunConfiguration) =>
  Object.fromEntries(Object.entries(training).map(([stage, { iterations }]) => [stage, iterations]));
const configuration = testConfiguration({
  training: {
    'coarse-pretraining': { iterations: 10 },
    'coarse-finetuning': { iterations: 20 },
    refinement: { iterations: 5 },
  },
});
const is = (message: RegExp) => (error: unknown) => error instanceof RunError && message.test(error.message);

interface Trainer {
  readonly calls: string[];
  /** What has been stored with the run. */
  readonly stored: string[];
  /** Lets what trains end at the total that it was called with. */
  readonly finish: () => void;
  readonly activities: ReturnType<typeof testActivities>;
}

/** Trains until it is told to finish, or cancelled: then it saves, as trainers do. */
function trainer(extendStage: () => Promise<void> = async () => {}): Trainer {
  const calls: string[] = [];
  const stored: string[] = [];
  let finishing = false;
  const activities = testActivities([], {
    findDataset: async () => packed,
    extendStage: async ({ stage, iterations }) => {
      await extendStage();
      stored.push(`${stage} ${iterations}`);
    },
    trainStage: async ({ stage, configuration: { training } }) => {
      const step = training[stage].iterations;
      calls.push(`${stage} ${step}`);
      const context = Context.current();
      while (!finishing) {
        context.heartbeat();
        try {
          await Promise.race([context.cancelled, context.sleep(20)]);
        } catch {
          throw new CancelledFailure('Stopped as asked.');
        }
      }
      return { stage, step, loss: 1, checkpoint: { step, key: 'k', modelSha256: 'a' }, seconds: 1 };
    },
  });
  return { calls, stored, activities, finish: () => (finishing = true) };
}

const trains = ({ calls }: Trainer, what: string) =>
  waitFor(what, async () => (calls.at(-1) === what ? true : undefined));
const stepsReached = ({ stages }: FullTrainingResult) => stages.map(({ stage, step }) => `${stage} ${step}`);
const start = (run: string, ...steps: TrainingStage[]) =>
  startRun(temporal.client, { run, configuration, steps: steps.length === 1 ? steps : ['dataset', ...steps] });

test('a stage that trains saves and goes on to the new end; one that is still to come gets it when it starts', async () => {
  const { client } = temporal;
  const training = trainer();
  await temporal.withWorkers(training.activities, 'all', async () => {
    await start('longer', 'coarse-pretraining', 'coarse-finetuning');
    await trains(training, 'coarse-pretraining 10');
    await extendRun(client, 'longer', { stage: 'coarse-finetuning', iterations: 30 });
    await extendRun(client, 'longer', { stage: 'coarse-pretraining', iterations: 15 });
    await trains(training, 'coarse-pretraining 15');
    // Its input says otherwise: what a run is resumed with.
    const now = { 'coarse-pretraining': 15, 'coarse-finetuning': 30, refinement: 5 };
    assert.deepEqual(iterationsOf(await configurationOf(client, 'longer')), now);
    await cancelRun(client, 'longer');
    await resumeRun(client, 'longer');
    await trains(training, 'coarse-pretraining 15');
    training.finish();
    const result = (await client.workflow.getHandle('longer').result()) as FullTrainingResult;
    assert.deepEqual(stepsReached(result), ['coarse-pretraining 15', 'coarse-finetuning 30']);
    assert.deepEqual(iterationsOf(await configurationOf(client, 'longer')), now);
  });
  assert.deepEqual(training.stored, ['coarse-finetuning 30', 'coarse-pretraining 15']);
});

test('a stage that reaches its old end while it is being extended is trained on', async () => {
  const { client } = temporal;
  let store = () => {};
  const storing = new Promise<void>((resolve) => (store = resolve));
  const training = trainer(async () => {
    training.finish();
    await storing;
  });
  await temporal.withWorkers(training.activities, 'all', async () => {
    await start('late', 'coarse-pretraining', 'coarse-finetuning');
    await trains(training, 'coarse-pretraining 10');
    const extended = extendRun(client, 'late', { stage: 'coarse-pretraining', iterations: 12 });
    await waitFor('the end of the step', async () => {
      const { status } = await client.workflow.getHandle('late/coarse-pretraining').describe();
      return status.name === 'COMPLETED' ? true : undefined;
    });
    store();
    await extended;
    const result = (await client.workflow.getHandle('late').result()) as FullTrainingResult;
    assert.deepEqual(stepsReached(result), ['coarse-pretraining 12', 'coarse-finetuning 20']);
  });
  assert.deepEqual(training.calls, ['coarse-pretraining 10', 'coarse-pretraining 12', 'coarse-finetuning 20']);
});

test('a paused stage, and one that was started by itself, are extended too', async () => {
  const { client } = temporal;
  const training = trainer();
  await temporal.withWorkers(training.activities, 'all', async () => {
    await start('alone', 'refinement');
    await trains(training, 'refinement 5');
    await pauseRun(client, 'alone');
    await extendRun(client, 'alone', { stage: 'refinement', iterations: 8 });
    await resumeRun(client, 'alone');
    await trains(training, 'refinement 8');
    await extendRun(client, 'alone', { stage: 'refinement', iterations: 9 });
    await trains(training, 'refinement 9');
    training.finish();
    await client.workflow.getHandle('alone/refinement').result();
    assert.deepEqual(iterationsOf(await configurationOf(client, 'alone'))['refinement'], 9);
  });
});

test('what cannot be is refused with the reason, and the run goes on as it was', async () => {
  const { client } = temporal;
  const training = trainer(async () => {
    throw ApplicationFailure.nonRetryable('It has been trained to step 25.', 'ConfigurationInvalid');
  });
  await temporal.withWorkers(training.activities, 'all', async () => {
    await start('refused', 'coarse-pretraining', 'coarse-finetuning');
    await trains(training, 'coarse-pretraining 10');
    const extend = (stage: TrainingStage, iterations: number) => extendRun(client, 'refused', { stage, iterations });
    await assert.rejects(extend('coarse-pretraining', 10), is(/is to train to step 10: an extension must be more/));
    await assert.rejects(extend('refinement', 50), is(/refinement is not one of this run's steps/));
    await assert.rejects(extend('coarse-finetuning', 24), is(/^refused: It has been trained to step 25\.$/));
    const handle = client.workflow.getHandle('refused/coarse-pretraining');
    const args = [{ stage: 'coarse-pretraining', iterations: 50 }] as const;
    const own = await handle.executeUpdate('extend', { args: [...args] }).catch((error: Error) => error.cause);
    assert.match((own as Error).message, /It is a step of refused: extend that/);
    training.finish();
    await client.workflow.getHandle('refused').result();
    await assert.rejects(extend('refinement', 50), is(/is not running/));
    const { progress } = await describeRun(client, 'refused');
    assert.equal(progress?.steps[1]?.state, 'done');
  });
  assert.deepEqual(training.calls, ['coarse-pretraining 10', 'coarse-finetuning 20']);
});

test('the histories replay', async () => {
  const { count, errors } = await replayAll(temporal.client);
  assert.deepEqual(errors, []);
  assert.ok(count >= 10, `${count} histories`);
});
