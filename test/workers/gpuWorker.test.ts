import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import type { MaybeInterrupted } from '../../activities/types.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StageProgress, StageReport, StageResult } from '../../training/process/protocol.js';
import { describeRun, type RunDescription } from '../../client/runs/describeRun.js';
import { cancelRun, pauseRun, resumeRun, startRun } from '../../client/runs/runs.js';
import { isAlive } from '../activities/support/isAlive.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { runGpuWorker } from '../../workers/gpuWorker.js';
import {
  askGpuWorker,
  forkGpuWorker,
  killForkedWorkers,
  storeFolder,
  trainerModule,
  withGpuWorker,
} from './support/gpuWorkers.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());
afterEach(killForkedWorkers);

function shortTraining(iterations: number): RunConfiguration {
  return testConfiguration({
    training: { 'coarse-pretraining': { iterations }, 'coarse-finetuning': { iterations: iterations + 1 } },
    supervision: { progressTimeoutSeconds: 2 },
  });
}

function freshDirectory(): string {
  return temporaryFolder();
}

async function start(run: string, iterations: number): Promise<void> {
  const configuration = shortTraining(iterations);
  await startRun(temporal.client, { run, configuration, steps: ['coarse-pretraining'] });
}

function resultOf(run: string): Promise<StageResult & MaybeInterrupted> {
  return temporal.client.workflow.getHandle(`${run}/coarse-pretraining`).result() as Promise<
    StageResult & MaybeInterrupted
  >;
}

/** Asks until it trains further than a step. */
function trainsBeyond(run: string, step: number): Promise<{ training: StageProgress; description: RunDescription }> {
  return waitFor(`step ${step} of ${run}`, async () => {
    const description = await describeRun(temporal.client, run);
    const training = description.progress?.training;
    return training && training.step > step ? { training, description } : undefined;
  });
}

/** The message of the failure that ended the first attempt, once there is one. */
function firstFailure(run: string): Promise<string> {
  return waitFor(`a failure of ${run}`, async () => {
    const { activities } = await describeRun(temporal.client, run);
    return activities[0]?.lastFailure ?? undefined;
  });
}

const pidOf = (directory: string, run: string) =>
  Number(readFileSync(join(directory, 'runs', run, 'coarse-pretraining.pid'), 'utf8'));

test("after a worker's SIGKILL its trainer is gone too, and another worker goes on from the checkpoint", async () => {
  const directory = freshDirectory();
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    const worker = await forkGpuWorker(temporal.settings, directory);
    // Ten seconds of steps: on a busy machine it takes some until the first is seen.
    await start('killed', 1000);
    await trainsBeyond('killed', 30);
    const trainer = pidOf(directory, 'killed');
    worker.kill('SIGKILL');
    await waitFor("the trainer's end", async () => (isAlive(trainer) ? undefined : true), 3);
    assert.equal(await firstFailure('killed'), 'Its worker was lost: no sign of life came any more.');
    await withGpuWorker({ temporal: temporal.settings, directory }, async () => {
      const { step, interruptions } = await resultOf('killed');
      assert.equal(step, 1000);
      const [lost, last] = interruptions?.attempts ?? [];
      assert.equal(lost?.end, 'its worker was lost: no sign of life came any more');
      assert.ok(lost.worker.endsWith(`:${worker.pid}`) && (lost.toStep ?? 0) >= 30, JSON.stringify(lost));
      assert.deepEqual([last?.toStep, last?.end], [1000, 'finished']);
    });
  });
});

test('told to stop, a worker lets its trainer save, and the next goes on at once; no failure is counted', async () => {
  const directory = freshDirectory();
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    const worker = await forkGpuWorker(temporal.settings, directory);
    const next = await forkGpuWorker(temporal.settings, directory);
    await start('stopped', 10_000);
    const { description } = await trainsBeyond('stopped', 30);
    const pid = description.activities[0]?.worker?.split(':').at(-1);
    const [first, second] = pid === String(worker.pid) ? [worker, next] : [next, worker];
    const { text } = await askGpuWorker(first, '/metrics');
    const step = /^tempeh_stage_step\{.*run="stopped",stage="coarse-pretraining".*\} (\d+)/m.exec(text)?.[1];
    assert.ok(Number(step) > 30, 'the numbers that Prometheus reads say where training is');
    assert.match(text, /^temporal_worker_task_slots_used\{.*worker_type="ActivityWorker".*\} 1$/m);
    assert.match(text, /^tempeh_process_running\{.*run="stopped".*\} 1$/m);
    assert.deepEqual(await askGpuWorker(first, '/readyz'), { status: 200, text: 'ready\n' });
    const told = Date.now();
    first.kill('SIGTERM');
    // As from a process group of which a launcher passes signals on: no reason to stop without saving.
    setTimeout(() => first.kill('SIGTERM'), 10);
    const [code] = (await once(first, 'exit')) as [number];
    assert.equal(code, 0);
    const saved = Number(readFileSync(join(directory, 'runs', 'stopped', 'coarse-pretraining.step'), 'utf8'));
    const { description: later, training } = await trainsBeyond('stopped', saved);
    const seconds = (Date.now() - told) / 1000;
    assert.ok(seconds < 15, `${seconds} s until another worker went on`);
    assert.ok(training.checkpointStep !== null && training.checkpointStep >= saved);
    const activity = later.activities[0];
    assert.equal(activity?.attempt, 2);
    assert.equal(activity.lastFailure, 'The trainer saved and stopped.');
    assert.ok(activity.heartbeat?.kind === 'training' && activity.heartbeat.preemptions === 1);
    const counted = later.progress?.steps.find(({ state }) => state === 'running')?.interruptions;
    assert.deepEqual([counted?.preemptions, counted?.failures], [1, 0]);
    assert.deepEqual(
      counted?.attempts?.map(({ end }) => end),
      ['stopped as asked, and saved', null],
    );
    await cancelRun(temporal.client, 'stopped');
    second.kill('SIGTERM');
    await once(second, 'exit');
  });
});

const toldBy = (run: string) =>
  temporal.client.workflow
    .getHandle(`${run}/coarse-pretraining`)
    .query<{ training: (StageProgress & StageReport) | null }>('progress');

test('what a trainer warns of reaches its workflow at once, and not with the next report', async () => {
  process.env['TEMPEH_TEST_BEHAVIOUR'] = 'warn';
  try {
    await temporal.withWorkers(testActivities([]), 'data', async () => {
      await withGpuWorker({ temporal: temporal.settings, directory: freshDirectory() }, async () => {
        await start('warning', 10_000);
        const training = await waitFor('a warning', async () => {
          const told = (await toldBy('warning')).training;
          return told?.warnings === undefined ? undefined : told;
        });
        assert.deepEqual(training.warnings, ['This is a warning.']);
        // Reports come ten seconds apart: the first with the first step, the next with step 1,000 or so.
        assert.ok(training.step < 400, `reported at step ${training.step}`);
        await cancelRun(temporal.client, 'warning');
      });
    });
  } finally {
    delete process.env['TEMPEH_TEST_BEHAVIOUR'];
  }
});

test('a run that is paused shows the checkpoint that it was saved at, not the one before', async () => {
  const directory = freshDirectory();
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    await withGpuWorker({ temporal: temporal.settings, directory }, async () => {
      await start('pausing', 10_000);
      await trainsBeyond('pausing', 30);
      await pauseRun(temporal.client, 'pausing');
      const saved = Number(readFileSync(join(directory, 'runs', 'pausing', 'coarse-pretraining.step'), 'utf8'));
      const { progress } = await describeRun(temporal.client, 'pausing');
      assert.equal(progress?.training?.checkpointStep, saved);
      const attempts = progress.steps[0]?.interruptions?.attempts;
      assert.deepEqual([progress.training.step, attempts?.at(-1)?.toStep], [saved, saved], 'all its steps are in it');
      await resumeRun(temporal.client, 'pausing');
      // Lists count on, where Temporal counts anew; on a slow machine an attempt may be lost before or after.
      const before = attempts?.length ?? 0;
      await waitFor('a report of the next attempt, by its number in the list', async () => {
        const { training } = await toldBy('pausing');
        const { progress: later } = await describeRun(temporal.client, 'pausing');
        const listed = later?.steps[0]?.interruptions?.attempts?.length ?? 0;
        return listed > before && training?.attempt === listed ? true : undefined;
      });
      await cancelRun(temporal.client, 'pausing');
    });
  });
});

for (const [behaviour, wanted, end] of [
  [
    'crash',
    /^The trainer was ended by SIGKILL\. That is a person, or the kernel where memory ran out.* It printed nothing\. Its whole log: .*coarse-pretraining\.log$/,
    /^the trainer was ended by SIGKILL$/,
  ],
  [
    'crash loudly',
    /^The trainer was ended by SIGKILL\. That is a person, or the kernel .* It printed last:\n( {2}.*\n)+ {2}line 39: .*…\n Its whole log: .*\.log$/,
    /^the trainer was ended by SIGKILL; it printed last: line 39/,
  ],
  ['hang', /^The trainer said nothing for 1\.8 s, and was ended\./, /^the trainer said nothing for 1\.8 s/],
  ['infrastructure', /^This is a fault of infrastructure\.$/, /^This is a fault of infrastructure\.$/],
  // It got on before: they have expired, and will be renewed.
  [
    'credentials',
    /^This is a fault of credentials\. They were good before: .* until they are renewed\.$/,
    /^This is a fault of credentials\.$/,
  ],
] as const) {
  test(`a trainer's ${behaviour} is retried on the same worker, and reported`, async () => {
    const directory = freshDirectory();
    process.env['TEMPEH_TEST_BEHAVIOUR'] = behaviour;
    try {
      await temporal.withWorkers(testActivities([]), 'data', async () => {
        await withGpuWorker({ temporal: temporal.settings, directory }, async () => {
          const run = behaviour.replaceAll(' ', '-');
          await start(run, 400);
          assert.match(await firstFailure(run), wanted);
          const { step, interruptions } = await resultOf(run);
          assert.equal(step, 400);
          assert.deepEqual([interruptions?.preemptions, interruptions?.failures], [0, 1]);
          const ends = interruptions?.attempts?.map(({ end }) => end) ?? [];
          assert.match(ends[0] ?? '', end);
          assert.deepEqual(ends.slice(1), ['finished']);
        });
      });
    } finally {
      delete process.env['TEMPEH_TEST_BEHAVIOUR'];
    }
  });
}

for (const [behaviour, message] of [['diverged', 'This is a fault of diverged.']] as const) {
  test(`what needs a person ends the run: ${behaviour}`, async () => {
    process.env['TEMPEH_TEST_BEHAVIOUR'] = behaviour;
    const run: string = behaviour;
    try {
      await temporal.withWorkers(testActivities([]), 'data', async () => {
        await withGpuWorker({ temporal: temporal.settings, directory: freshDirectory() }, async () => {
          await start(run, 100);
          await assert.rejects(resultOf(run));
          const { status, failure } = await describeRun(temporal.client, run);
          assert.deepEqual([status, failure], ['FAILED', message]);
        });
      });
    } finally {
      delete process.env['TEMPEH_TEST_BEHAVIOUR'];
    }
  });
}

test('cancelled, a trainer saves, and the run says where; the first checkpoint has reached the run', async () => {
  const directory = freshDirectory();
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    await withGpuWorker({ temporal: temporal.settings, directory }, async () => {
      await start('cancel', 10_000);
      await trainsBeyond('cancel', 30);
      const told = await temporal.client.workflow
        .getHandle('cancel/coarse-pretraining')
        .query<{ training: StageProgress | null }>('progress');
      assert.equal(told.training?.checkpointStep, 20);
      await cancelRun(temporal.client, 'cancel');
      const saved = Number(readFileSync(join(directory, 'runs', 'cancel', 'coarse-pretraining.step'), 'utf8'));
      const { status } = await describeRun(temporal.client, 'cancel');
      assert.equal(status, 'CANCELLED');
      assert.ok(saved % 20 !== 0 || saved >= 30, `saved at ${saved}`);
    });
  });
});

test('for jobs of a cluster: a worker takes so many tasks and ends, one without a task ends too', async () => {
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    for (const run of ['first-job', 'second-job']) await start(run, 2);
    const isDone = async (run: string) => (await describeRun(temporal.client, run)).status === 'COMPLETED';
    const lines: string[] = [];
    const work = (limits: { tasks?: number; idleSeconds?: number }) =>
      runGpuWorker({
        ...{ temporal: temporal.settings, directory: freshDirectory(), environment: { TEMPEH_FOLDERS: storeFolder } },
        ...{ trainerModule, writeLog: (line: string) => void lines.push(line), ...limits },
      });
    await work({ tasks: 1, idleSeconds: 60 });
    assert.match(lines.join(''), /done with its task/);
    const done = await waitFor('one run', async () => {
      const found = await Promise.all(['first-job', 'second-job'].map(isDone));
      return found.includes(true) ? found : undefined;
    });
    assert.deepEqual(done.filter(Boolean).length, 1, 'one task alone was taken');
    await work({ idleSeconds: 1.5 });
    assert.match(lines.join(''), /without a task for 2 s/);
    await waitFor('the other run', async () => (await isDone('first-job')) && (await isDone('second-job')));
  });
});
