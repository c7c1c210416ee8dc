import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { StageProgress } from '../../training/process/protocol.js';
import type { FullTrainingResult, RunProgress } from '../../workflows/types.js';
import type { Notice } from '../../activities/notices/notice.js';
import { runSteps } from '../../configs/temporal.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { resumeRun, startRun } from '../../client/runs/runs.js';
import { refuseRunning } from '../../client/startWorkflow.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { RunError } from '../../client/connection/client.js';
import { messages } from '../../configs/temporal.js';
import { ApplicationFailure } from '@temporalio/common';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

test('a run goes through its steps in order, each a child workflow, and reports what came of them', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const told: Notice[] = [];
  const notify = async (notice: Notice): Promise<void> => void told.push(notice);
  const result = await temporal.withWorkers(testActivities(calls, { notify }), 'all', async () => {
    await startRun(client, { run: 'whole', configuration: testConfiguration() });
    const result = (await client.workflow.getHandle('whole').result()) as FullTrainingResult;
    const progress = await client.workflow.getHandle('whole').query<RunProgress>('progress');
    assert.deepEqual(
      progress.steps.map(({ step, state, note }) => [step, state, note]),
      [
        ['dataset', 'done', 'heads: 8 frames to train, 2 to validate, 4 to test; 1 unusable frames left out'],
        ['coarse-pretraining', 'done', 'step 300000, loss 0.5000'],
        ['coarse-finetuning', 'done', 'step 800000, loss 0.5000'],
        ['predictions', 'done', '10 frames, 5 of them before'],
        ['refinement', 'done', 'step 150000, loss 0.5000'],
        ['evaluation', 'done', '4 test frames; median point-to-surface error: '],
      ],
    );
    assert.ok(progress.steps.every(({ seconds }) => seconds !== null && seconds < 30));
    const details = await client.workflow
      .getHandle('whole')
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    assert.match(JSON.stringify(details), /refinement \|\s*done/);
    return result;
  });
  // Steps are reported by the run alone, each once.
  assert.deepEqual(
    told
      .filter(({ kind }) => kind === 'milestone')
      .map(({ step }) => step)
      .sort(),
    [...runSteps].sort(),
  );
  const [done, ...others] = told.filter(({ kind }) => kind !== 'milestone');
  assert.match(done!.text, /^whole is done: 4 test frames/);
  assert.deepEqual(others, []);
  assert.equal(calls[0], 'prepareRun');
  // Extraction of the first bundle runs beside the fetching of the second.
  assert.deepEqual(calls.slice(1, 5), ['findDataset', 'claimDataWorker', 'proveData', 'fetchBundle first']);
  assert.deepEqual(calls.slice(5, 8).sort(), ['extractBundle first', 'extractBundle second', 'fetchBundle second']);
  assert.ok(calls.indexOf('fetchBundle second') < calls.indexOf('extractBundle second'));
  assert.deepEqual(calls.slice(8), [
    'packDataset',
    'trainStage coarse-pretraining',
    'trainStage coarse-finetuning',
    'planPredictions refinement-input',
    'predictShard 1',
    'trainStage refinement',
    'planPredictions test',
    'predictShard 2',
    'planEvaluation',
    'evaluateShard 0',
    'evaluate',
  ]);
  assert.deepEqual(result.dataset, packed);
  assert.deepEqual(
    result.stages.map(({ stage }) => stage),
    ['coarse-pretraining', 'coarse-finetuning', 'refinement'],
  );
  assert.deepEqual(result.predictions, { frames: 10, predicted: 5, failures: 0 });
  assert.equal(result.evaluation?.frames, 4);
  const step = await client.workflow.getHandle('whole/refinement').describe();
  assert.equal(step.status.name, 'COMPLETED');
  assert.equal(await step.staticSummary(), 'refinement of whole');
  const [listed] = await waitFor('the list', async () => {
    const runs = (await listRuns(client)).filter(({ run, status }) => run === 'whole' && status === 'COMPLETED');
    return runs.length > 0 ? runs : undefined;
  });
  assert.deepEqual([listed?.stage, listed?.state], ['evaluation', 'completed']);
  assert.equal(listed?.dataset, 'heads');
});

test('what is there is not made again, and steps that are not asked for are left out', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const activities = testActivities(calls, { findDataset: async () => packed });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, {
      run: 'part',
      configuration: testConfiguration(),
      steps: ['dataset', 'coarse-pretraining'],
    });
    const result = (await client.workflow.getHandle('part').result()) as FullTrainingResult;
    assert.equal(result.evaluation, null);
    const { progress } = await describeRun(client, 'part');
    const states = progress?.steps.map(({ state }) => state);
    assert.deepEqual(states, ['done', 'done', 'left out', 'left out', 'left out', 'left out']);
  });
  assert.deepEqual(calls, ['prepareRun', 'findDataset', 'trainStage coarse-pretraining']);
});

test('without a test set there is no evaluation, and status says why', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  await temporal.withWorkers(testActivities(calls, { findDataset: async () => packed }), 'all', async () => {
    const configuration = testConfiguration();
    const { dataset } = configuration;
    const without = { ...configuration, dataset: { ...dataset, layout: { ...dataset.layout, test: null } } };
    await startRun(client, { run: 'untested', configuration: without });
    const result = (await client.workflow.getHandle('untested').result()) as FullTrainingResult;
    assert.equal(result.evaluation, null);
    const { progress } = await describeRun(client, 'untested');
    const { state, note } = progress!.steps.at(-1)!;
    assert.deepEqual([state, note], ['left out', 'there is no test set (dataset.layout.test)']);
  });
  assert.ok(!calls.includes('evaluate') && calls.includes('trainStage refinement'));
});

test('a step can be started by itself, under its own id, and is found by the name of its run', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  await temporal.withWorkers(testActivities(calls), 'all', async () => {
    const id = await startRun(client, { run: 'alone', configuration: testConfiguration(), steps: ['refinement'] });
    assert.equal(id, 'alone/refinement');
    await client.workflow.getHandle(id).result();
    const { workflowId, status, progress } = await describeRun(client, 'alone');
    assert.deepEqual([workflowId, status, progress?.steps.length], ['alone/refinement', 'COMPLETED', 1]);
  });
  assert.deepEqual(calls, ['prepareRun', 'trainStage refinement']);
});

test('a fault that needs a person ends the run at once, with what to do; resuming starts it again', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const message = 'The loss is not finite at step 40 (frames a/b/c). Lower training.coarse-pretraining.learningRate.';
  let repaired = false;
  const activities = testActivities(calls, {
    findDataset: async () => packed,
    trainStage: async (input) => {
      if (!repaired) throw ApplicationFailure.nonRetryable(message, 'TrainingDiverged');
      return testActivities([]).trainStage(input);
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'diverging', configuration: testConfiguration() });
    await assert.rejects(client.workflow.getHandle('diverging').result());
    const { status, failure, progress } = await describeRun(client, 'diverging');
    assert.equal(status, 'FAILED');
    assert.equal(failure, `coarse-pretraining: ${message}`);
    const state = progress?.steps[1];
    assert.deepEqual([state?.state, state?.note], ['failed', message]);
    assert.equal(calls.filter((call) => call === 'trainStage coarse-pretraining').length, 1);
    repaired = true;
    await resumeRun(client, 'diverging');
    const again = (await client.workflow.getHandle('diverging').result()) as FullTrainingResult;
    assert.equal(again.stages.length, 3);
  });
});

test('trainers get to know the checkpoints that Temporal knows of, also those of executions that have ended', async () => {
  const { client } = temporal;
  const told: [string, number | undefined][] = [];
  let failing = true;
  const activities = testActivities([], {
    findDataset: async () => packed,
    trainStage: async (input) => {
      told.push([input.stage, input.knownStep]);
      const result = await testActivities([]).trainStage(input);
      if (input.stage !== 'coarse-finetuning' || !failing) return result;
      const counts = { step: 34, totalSteps: 40, checkpointStep: 33, bytesRead: 0, bytesWritten: 0, skippedBatches: 0 };
      const progress: StageProgress = { stage: input.stage, loss: 0.5, stepsPerSecond: 1, ...counts };
      await client.workflow.getHandle('known/coarse-finetuning').signal(messages.stageProgress, progress);
      throw ApplicationFailure.nonRetryable('The manifest is missing.', 'DataUnusable');
    },
  });
  const steps = ['dataset', 'coarse-pretraining', 'coarse-finetuning'] as const;
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'known', configuration: testConfiguration(), steps });
    await assert.rejects(client.workflow.getHandle('known').result());
    failing = false;
    await resumeRun(client, 'known');
    const { stages } = (await client.workflow.getHandle('known').result()) as FullTrainingResult;
    const [pretraining] = stages;
    assert.deepEqual(told, [
      ['coarse-pretraining', undefined],
      ['coarse-finetuning', pretraining!.checkpoint.step],
      ['coarse-pretraining', 33],
      ['coarse-finetuning', pretraining!.checkpoint.step],
    ]);
    // In another store the run begins.
    told.length = 0;
    const storage = { kind: 'directory', path: '/elsewhere' } as const;
    await resumeRun(client, 'known', testConfiguration({ storage }));
    await client.workflow.getHandle('known').result();
    assert.deepEqual(told[0], ['coarse-pretraining', undefined]);
  });
});

test('faults of the infrastructure are tried again until they have passed', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const activities = testActivities(calls, {
    trainStage: async (input) => {
      if (calls.length < 4) throw ApplicationFailure.create({ type: 'ProcessCrashed', message: 'SIGSEGV' });
      return testActivities([]).trainStage(input);
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startRun(client, { run: 'crashing', configuration: testConfiguration(), steps: ['refinement'] });
    const waiting = await waitFor('a failed attempt', async () => {
      const { activities } = await describeRun(client, 'crashing');
      return activities.find(({ lastFailure }) => lastFailure === 'SIGSEGV');
    });
    assert.equal(waiting.type, 'trainStage');
    await client.workflow.getHandle('crashing/refinement').result();
  });
  assert.equal(calls.filter((call) => call === 'trainStage refinement').length, 3);
});

test('a run that runs cannot be started twice, an unknown one not resumed, a bad name not used', async () => {
  const { client } = temporal;
  const reason = (wanted: string) => (error: unknown) => error instanceof RunError && error.reason === wanted;
  const configuration = testConfiguration();
  await startRun(client, { run: 'twice', configuration });
  await assert.rejects(startRun(client, { run: 'twice', configuration }), reason('already-running'));
  await assert.rejects(refuseRunning(client, 'twice'), reason('already-running'), 'before its files are written over');
  await refuseRunning(client, 'unknown');
  await assert.rejects(resumeRun(client, 'unknown'), reason('not-found'));
  await assert.rejects(startRun(client, { run: 'a/b', configuration }), reason('refused'));
  await client.workflow.getHandle('twice').terminate();
  await refuseRunning(client, 'twice');
});

test('every history of this file replays: the workflows are deterministic', async () => {
  const { count, errors } = await replayAll(temporal.client);
  assert.deepEqual(errors, []);
  assert.ok(count >= 15, `${count} histories`);
});
