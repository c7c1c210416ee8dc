import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { taskQueues } from '../../configs/queues.js';
import { RunError } from '../../client/connection/client.js';
import { deploymentOptions } from '../../workers/temporal/workerVersion.js';
import { describeDeployment, promoteBuild } from '../../client/workerVersions.js';
import { LineLogger } from '../../workers/log.js';
import { extendRun, startRun } from '../../client/runs/runs.js';
import { workflowBundle } from '../../workers/temporal/workflowBundle.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { previousWorkflows } from './support/previousWorkflows.js';
import { startTestTemporal, type TestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

let temporal: TestTemporal;
let connection: NativeConnection;
let previous: WorkflowBundleOption;
let present: WorkflowBundleOption;
before(async () => {
  temporal = await startTestTemporal();
  connection = await NativeConnection.connect({ address: temporal.settings.address });
  previous = await previousWorkflows('0.1');
  present = await workflowBundle(new LineLogger('test', undefined, 'ERROR'));
});
after(async () => {
  // Of a test that failed.
  for (const fleet of fleets) await fleet.stop();
  await connection.close();
  await temporal.stop();
});

const configuration = testConfiguration({ training: { 'coarse-pretraining': { iterations: 10 } } });
const steps = ['dataset', 'coarse-pretraining', 'coarse-finetuning'] as const;

const fleets = new Set<Fleet>();

/** The workers of one build; what trains `slowly` does so until they are stopped. */
class Fleet {
  readonly trained: string[] = [];
  readonly #stopping = { data: new AbortController(), gpu: new AbortController() };
  readonly #ends: Promise<void>[] = [];

  constructor(
    private readonly buildId: string | null,
    private readonly bundle: WorkflowBundleOption,
    public slowly: boolean,
  ) {}

  async start(): Promise<this> {
    const version = { deployment: this.buildId === null ? null : 'tempeh-flow', buildId: this.buildId ?? 'any' };
    const shared = {
      connection,
      namespace: temporal.settings.namespace,
      shutdownGraceTime: '5 seconds',
      stickyQueueScheduleToStartTimeout: '1 second',
      maxHeartbeatThrottleInterval: 100,
      workerDeploymentOptions: deploymentOptions(version),
      identity: `${this.buildId}`,
      activities: testActivities([], {
        findDataset: async () => packed,
        trainStage: async ({ stage, configuration: { training } }) => {
          this.trained.push(stage);
          const step = training[stage].iterations;
          const context = Context.current();
          while (this.slowly) {
            context.heartbeat({ kind: 'training', progress: null, message: null, preemptions: 0 });
            await sleep(20);
            if (!this.#stopping.gpu.signal.aborted) continue;
            throw ApplicationFailure.create({ type: 'Stopped', message: 'stopped', nextRetryDelay: '1 millisecond' });
          }
          return { stage, step, loss: 1, checkpoint: { step, key: 'k', modelSha256: 'a' }, seconds: 1 };
        },
      }),
    };
    const workers = {
      data: await Worker.create({ ...shared, taskQueue: taskQueues().data, workflowBundle: this.bundle }),
      gpu: await Worker.create({ ...shared, taskQueue: taskQueues().gpu }),
    };
    fleets.add(this);
    for (const kind of ['data', 'gpu'] as const) {
      this.#ends.push(workers[kind].run());
      this.#stopping[kind].signal.addEventListener('abort', () => workers[kind].shutdown());
    }
    return this;
  }

  /** In order: what trains saves first. */
  async stop(): Promise<void> {
    fleets.delete(this);
    for (const kind of ['gpu', 'data'] as const) this.#stopping[kind].abort();
    await Promise.all(this.#ends);
  }
}

const polls = (buildId: string) =>
  waitFor(`workers of ${buildId}`, async () => {
    const { versions } = await describeDeployment(temporal.client, 'tempeh-flow');
    const found = versions.find((version) => version.buildId === buildId);
    return found?.dataWorkers.length && found.gpuWorkers.length ? found : undefined;
  });
/** Not as Temporal has it: an attempt that a stopping worker was just given may still be given to another. */
const trains = (fleet: Fleet) => waitFor('a trainer', async () => (fleet.trained.length > 0 ? true : undefined));

test("a run that the previous version's workers began in the middle of a stage is finished by today's, unversioned", async () => {
  const { client } = temporal;
  const old = await new Fleet(null, previous, true).start();
  await startRun(client, { run: 'plain', configuration, steps });
  await trains(old);
  await old.stop();
  const today = await new Fleet(null, present, true).start();
  await trains(today);
  // What the version before did not know.
  await extendRun(client, 'plain', { stage: 'coarse-finetuning', iterations: 900_000 });
  today.slowly = false;
  const result = (await client.workflow.getHandle('plain').result()) as FullTrainingResult;
  assert.deepEqual([...new Set(old.trained)], ['coarse-pretraining']);
  assert.deepEqual(today.trained, ['coarse-pretraining', 'coarse-finetuning']);
  assert.deepEqual(
    result.stages.map(({ stage, step }) => [stage, step]),
    [
      ['coarse-pretraining', 10],
      ['coarse-finetuning', 900_000],
    ],
  );
  await today.stop();
});

test('in a versioned deployment a build gets nothing before it is promoted; then runs move to it, and its trainers take over', async () => {
  const { client } = temporal;
  const promote = (buildId: string) => promoteBuild(client, 'tempeh-flow', buildId);
  const old = await new Fleet('old', previous, true).start();
  await polls('old');
  assert.equal(await promote('old'), null);
  await startRun(client, { run: 'versioned', configuration, steps });
  await trains(old);

  const absent = (error: unknown) => error instanceof RunError && /has no data and no GPU workers/.test(error.message);
  await assert.rejects(promote('new'), absent);
  const today = await new Fleet('new', present, false).start();
  await polls('new');
  assert.deepEqual(today.trained, []);
  assert.equal(await promote('new'), 'old');
  assert.equal((await describeDeployment(client, 'tempeh-flow')).current, 'new');
  await old.stop();
  await client.workflow.getHandle('versioned').result();
  assert.deepEqual(today.trained, ['coarse-pretraining', 'coarse-finetuning']);
  const { raw } = await client.workflow.getHandle('versioned').describe();
  assert.equal(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId, 'new');
  await today.stop();
});
