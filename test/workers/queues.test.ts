import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { taskQueues } from '../../configs/queues.js';
import type { GpuActivities } from '../../activities/types.js';
import { queueLines } from '../../cli/runs/watching/queueLines.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startRun } from '../../client/runs/runs.js';
import { giveBack } from '../../workers/temporal/givenBack.js';
import { TaskBudget } from '../../workers/temporal/taskBudget.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const shards = 4;

/** A GPU worker with one device, as `worker gpu` makes it of these activities. */
class OneDevice {
  atWork = 0;
  most = 0;
  readonly done: string[] = [];
  /** While true a stage goes on. */
  trains = true;
  #workers: Worker[] = [];
  #ends: Promise<void>[] = [];
  #connection: NativeConnection | undefined;

  async start(work: readonly ('gpu' | 'predict')[], queues = taskQueues()): Promise<this> {
    const budget = new TaskBudget(1, {});
    const activities = testActivities([], {
      trainStage: ({ stage, configuration }) =>
        this.busy(`train ${stage}`, async () => {
          while (this.trains) await sleep(20);
          const step = configuration.training[stage].iterations;
          return { stage, step, loss: 1, checkpoint: { step, key: 'k', modelSha256: 'a' }, seconds: 1 };
        }),
      predictShard: ({ shard }) =>
        this.busy(`predict ${shard.index}`, async () => {
          await sleep(30);
          return { predicted: 1, skipped: 0, failures: [], seconds: 1 };
        }),
    } satisfies Partial<GpuActivities>);
    // Of one connection no second worker may ask a queue.
    const { address, namespace } = temporal.settings;
    const connection = await NativeConnection.connect({ address });
    this.#connection = connection;
    const shared: Omit<WorkerOptions, 'taskQueue'> = {
      connection,
      namespace,
      activities,
      interceptors: { activity: [giveBack(budget)] },
      shutdownForceTime: '5 seconds',
    };
    for (const kind of work) {
      const worker = await Worker.create({ ...shared, taskQueue: queues[kind], tuner: budget.tuner() });
      this.#workers.push(worker);
      this.#ends.push(worker.run());
    }
    return this;
  }

  async stop(): Promise<void> {
    this.trains = false;
    for (const worker of this.#workers) worker.shutdown();
    await Promise.all(this.#ends);
    await this.#connection?.close();
  }

  private async busy<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.atWork);
    try {
      return await work();
    } finally {
      this.atWork--;
      this.done.push(name);
    }
  }
}

const data = testActivities([], {
  planPredictions: async ({ purpose }) => ({
    frames: shards,
    shards: Array.from({ length: shards }, (_, index) => ({ index, purpose, from: index, to: index + 1 })),
  }),
});
const configuration = testConfiguration({ supervision: { progressTimeoutSeconds: 60, lostWorkerSeconds: 60 } });
const start = (run: string, step: 'coarse-pretraining' | 'predictions') =>
  startRun(temporal.client, { run, configuration, steps: [step] });
const resultOf = (id: string) => temporal.client.workflow.getHandle(id).result();

test('one device does one task at a time, whichever queue it comes from; a worker for predictions alone does not wait for it', async () => {
  await temporal.withWorkers(data, 'data', async () => {
    const both = await new OneDevice().start(['gpu', 'predict']);
    try {
      await start('long', 'coarse-pretraining');
      await waitFor('training', async () => (both.atWork === 1 ? true : undefined));
      await start('short', 'predictions');
      // The queue of predictions had been asked before the device was taken: its answer is given back.
      const { pendingActivities } = await waitFor('a shard that was given back', async () => {
        const { raw } = await temporal.client.workflow.getHandle('short/predictions').describe();
        return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 1) > 1) ? raw : undefined;
      });
      assert.match(JSON.stringify(pendingActivities), /at work: given back/);
      const attempts = pendingActivities!.map(({ attempt }) => attempt ?? 1);
      const { activities, progress } = await describeRun(temporal.client, 'short');
      const givenBack = activities.find(({ attempt }) => attempt > 1)!;
      assert.equal(givenBack.lastFailureIsFault, false);
      assert.deepEqual(givenBack.interruptions, { preemptions: 0, failures: 0 }, 'nobody has begun it');
      assert.equal(progress?.steps[0]?.interruptions, undefined);
      assert.ok(Math.max(...attempts) <= 3, `a busy worker asks for no more: ${attempts.join()}`);
      const line = await waitFor('a word about who is busy', async () => {
        return queueLines(await describeRun(temporal.client, 'short'))[0];
      });
      assert.match(line, /· every worker of tempeh-predict is busy: .* at long\/coarse-pretraining$/);
      const alone = await new OneDevice().start(['predict']);
      try {
        await resultOf('short/predictions');
        assert.equal(alone.done.length, shards, 'all were predicted while the stage trained');
        assert.equal(alone.most, 1);
      } finally {
        await alone.stop();
      }
      both.trains = false;
      await resultOf('long/coarse-pretraining');
      // Free again: it takes predictions, too.
      await start('next', 'predictions');
      await resultOf('next/predictions');
      assert.equal(both.most, 1);
      assert.equal(both.done.length, 1 + shards);
    } finally {
      await both.stop();
    }
  });
});

test('of a worker with so many tasks to do no queue is asked for more', async () => {
  const budget = new TaskBudget(1, { tasks: 1 });
  const end = budget.begin();
  assert.ok(end !== null);
  assert.equal(budget.begin(), null, 'its device is at work');
  end();
  assert.equal(budget.begin(), null, 'it has done what it was to do');
  const supplier = budget.tuner() as { activityTaskSlotSupplier: { tryReserveSlot: (context: object) => unknown } };
  assert.equal(supplier.activityTaskSlotSupplier.tryReserveSlot({}), null);
});

test('teams with a prefix of their own have queues of their own, down to the activities of their runs', async () => {
  const before = process.env['TEMPEH_QUEUE_PREFIX'];
  process.env['TEMPEH_QUEUE_PREFIX'] = 'heads-';
  const device = await new OneDevice().start(['gpu', 'predict']);
  try {
    assert.deepEqual(taskQueues(), {
      data: 'heads-tempeh-data',
      evaluate: 'heads-tempeh-evaluate',
      gpu: 'heads-tempeh-gpu',
      predict: 'heads-tempeh-predict',
    });
    await temporal.withWorkers(data, 'data', async () => {
      await start('ours', 'predictions');
      await resultOf('ours/predictions');
    });
    assert.equal(device.done.length, shards);
    process.env['TEMPEH_QUEUE_PREFIX'] = 'no spaces';
    assert.throws(() => taskQueues(), /TEMPEH_QUEUE_PREFIX.*no spaces.*expected letters/);
  } finally {
    if (before === undefined) delete process.env['TEMPEH_QUEUE_PREFIX'];
    else process.env['TEMPEH_QUEUE_PREFIX'] = before;
    await device.stop();
  }
});

test('tasks of a run carry its team, priority and share', async () => {
  const scheduling = { team: 'faces', priority: 2, share: 3 };
  const workflowId = 'fair/predictions';
  await startRun(temporal.client, {
    run: 'fair',
    configuration: testConfiguration({ scheduling }),
    steps: ['predictions'],
  });
  await startRun(temporal.client, { run: 'own', configuration, steps: ['predictions'] });
  const priorityOf = async (id: string) =>
    (await temporal.client.workflow.getHandle(id).describe()).raw.workflowExecutionInfo?.priority;
  const found = await priorityOf(workflowId);
  assert.equal(found?.fairnessKey, 'faces');
  assert.equal(found?.priorityKey, 2);
  assert.equal(found?.fairnessWeight, 3);
  assert.equal((await priorityOf('own/predictions'))?.fairnessKey, 'own', 'a run without a team is its own');
  const shards: string[] = [];
  const predictShard: GpuActivities['predictShard'] = async () => {
    shards.push(Context.current().info.priority?.fairnessKey ?? '');
    return { predicted: 1, skipped: 0, failures: [], seconds: 1 };
  };
  await temporal.withWorkers({ ...data, predictShard }, 'all', async () => {
    await Promise.all([resultOf(workflowId), resultOf('own/predictions')]);
  });
  assert.deepEqual([...new Set(shards)].sort(), ['faces', 'own'], 'activities have what their run has');
});
