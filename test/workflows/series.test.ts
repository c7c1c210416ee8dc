import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { EvaluationSummary } from '../../activities/types.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { cancelRun, configurationOf, extendRun, pauseRun, resumeRun, startRun } from '../../client/runs/runs.js';
import { startSeries } from '../../client/runs/series.js';
import { RunError } from '../../client/connection/client.js';
import { seedMembers } from '../../configs/series/members.js';
import type { SeriesResult } from '../../workflows/types.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const seeds = (run: string, count: number) => ({
  run,
  kind: 'seeds' as const,
  members: seedMembers(run, testConfiguration({ seed: 4 }), count),
});
const resultOf = async (run: string): Promise<SeriesResult> =>
  (await temporal.client.workflow.getHandle(run).result()) as SeriesResult;
const statesOf = async (run: string) =>
  (await describeRun(temporal.client, run)).members?.map((member) => [member.run, member.state]);

test('repeats share the data set, which the first makes; each is a run of its own with its seed', async () => {
  const { client } = temporal;
  const trained: [string, number][] = [];
  const fetched: string[] = [];
  let isPacked = false;
  const activities = testActivities([], {
    findDataset: async () => (isPacked ? packed : null),
    packDataset: async ({ run }) => {
      fetched.push(run);
      isPacked = true;
      return packed;
    },
    trainStage: async (input) => {
      trained.push([input.run, input.configuration.seed]);
      return testActivities([]).trainStage(input);
    },
    evaluate: async ({ run, configuration }): Promise<EvaluationSummary> => {
      return { version: 1, run, frames: configuration.seed, subjects: ['a'], methods: [] };
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startSeries(client, seeds('repeats', 3));
    const { kind, members } = await resultOf('repeats');
    assert.equal(kind, 'seeds');
    assert.deepEqual(
      members.map(({ run, label, evaluation }) => [run, label, evaluation?.frames]),
      [
        ['repeats-seed-4', 'seed 4', 4],
        ['repeats-seed-5', 'seed 5', 5],
        ['repeats-seed-6', 'seed 6', 6],
      ],
    );
    assert.deepEqual(fetched, ['repeats-seed-4'], 'the data are packed once');
    assert.deepEqual(
      new Set(trained.map((each) => each.join(' '))),
      new Set(members.map((m, i) => `${m.run} ${4 + i}`)),
    );
    assert.deepEqual(
      await statesOf('repeats'),
      members.map(({ run }) => [run, 'done']),
    );
    const listed = await waitFor('the list', async () => {
      const runs = (await listRuns(client)).filter(({ run }) => run.startsWith('repeats'));
      return runs.length === 4 && runs.every(({ state }) => state === 'completed') ? runs : undefined;
    });
    assert.equal(listed.find(({ run }) => run === 'repeats-seed-5')?.series, 'repeats');
    assert.equal((await configurationOf(client, 'repeats')).seed, 4);
    assert.equal((await configurationOf(client, 'repeats-seed-6')).seed, 6);
  });
});

test('one that fails leaves the others alone; resumed, the series goes on with it', async () => {
  const { client } = temporal;
  let mended = false;
  const calls: string[] = [];
  const activities = testActivities(calls, {
    findDataset: async () => packed,
    trainStage: async (input) => {
      if (!mended && input.configuration.seed === 5) {
        throw ApplicationFailure.nonRetryable('The loss is not finite.', 'TrainingDiverged');
      }
      return testActivities([]).trainStage(input);
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startSeries(client, seeds('failing', 3));
    await assert.rejects(resultOf('failing'));
    const { status, failure, members } = await describeRun(client, 'failing');
    assert.equal(status, 'FAILED');
    assert.match(failure ?? '', /^1 of 3 runs failed\. failing-seed-5: coarse-pretraining: The loss is not finite\./);
    assert.deepEqual(
      members?.map(({ state }) => state),
      ['done', 'failed', 'done'],
    );
    mended = true;
    await resumeRun(client, 'failing');
    const { members: all } = await resultOf('failing');
    assert.deepEqual(
      all.map(({ evaluation }) => evaluation?.frames),
      [4, 4, 4],
    );
    assert.equal(calls.filter((call) => call === 'evaluate').length, 3, 'what is complete is not done again');
  });
});

test('where the data cannot be had nothing else is started', async () => {
  const { client } = temporal;
  const calls: string[] = [];
  const activities = testActivities(calls, {
    proveData: async () => {
      throw ApplicationFailure.nonRetryable('There is no template.', 'DataUnusable');
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startSeries(client, seeds('dataless', 2));
    await assert.rejects(resultOf('dataless'));
    assert.deepEqual(await statesOf('dataless'), [
      ['dataless-seed-4', 'failed'],
      ['dataless-seed-5', 'left out'],
    ]);
    assert.equal(calls.filter((call) => call === 'proveData').length, 1);
  });
});

test('pause, unpause and cancel are for all runs of a series; extend is for one by itself', async () => {
  const { client } = temporal;
  const going = new Set<string>();
  let isHeld = true;
  const activities = testActivities([], {
    findDataset: async () => packed,
    trainStage: async (input) => {
      going.add(input.run);
      try {
        while (isHeld) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
        return await testActivities([]).trainStage(input);
      } finally {
        going.delete(input.run);
      }
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    await startSeries(client, seeds('steered', 2));
    const bothGo = () => waitFor('both', async () => (going.size === 2 ? true : undefined));
    await bothGo();
    await assert.rejects(
      extendRun(client, 'steered', { stage: 'refinement', iterations: 200_000 }),
      (error: unknown) => error instanceof RunError && /extend its runs by themselves/.test(error.message),
    );
    await pauseRun(client, 'steered');
    assert.equal(going.size, 0, 'both have stopped when pause returns');
    await assert.rejects(pauseRun(client, 'steered'), /no run of it runs that is not paused already/);
    assert.ok(
      (await describeRun(client, 'steered')).members?.every(({ description }) => description?.progress?.paused),
    );
    await resumeRun(client, 'steered');
    await bothGo();
    await cancelRun(client, 'steered');
    assert.equal(going.size, 0);
    assert.equal((await describeRun(client, 'steered-seed-5')).status, 'CANCELLED');
    isHeld = false;
    await resumeRun(client, 'steered');
    assert.equal((await resultOf('steered')).members.length, 2);
  });
});

test('a name is that of a run or of a series, not of both', async () => {
  const { client } = temporal;
  await startRun(client, { run: 'taken', configuration: testConfiguration() });
  await assert.rejects(startSeries(client, seeds('taken', 2)), /taken is the name of a run/);
  await client.workflow.getHandle('taken').terminate();
  await startSeries(client, seeds('several', 2));
  await client.workflow.getHandle('several').terminate();
  const run = startRun(client, { run: 'several', configuration: testConfiguration() });
  await assert.rejects(run, /several is the name of a series/, 'by its name nobody would find the series again');
});

test('every history of this file replays: the workflows are deterministic', async () => {
  const { count, errors } = await replayAll(temporal.client);
  assert.deepEqual(errors, []);
  assert.ok(count >= 15, `${count} histories`);
});
