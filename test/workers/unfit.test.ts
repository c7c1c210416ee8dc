import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { diskObstacle } from '../../activities/fitness.js';
import type { Interruptions } from '../../activities/types.js';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import { attemptLines } from '../../cli/runs/watching/attemptLines.js';
import { describeRun, type RunDescription } from '../../client/runs/describeRun.js';
import { startRun } from '../../client/runs/runs.js';
import type { RunConfiguration, RunConfigurationInput } from '../../configs/schema/run.js';
import { predictorFaultOf } from '../../inference/faults.js';
import { faultOf } from '../../training/process/faults.js';
import { startTestS3, type TestS3 } from '../support/servers/s3.js';
import { smallDisk } from '../support/smallDisk.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { askGpuWorker, forkGpuWorker, killForkedWorkers, withGpuWorker } from './support/gpuWorkers.js';

let temporal: TestTemporal;
let s3: TestS3;
before(async () => {
  [temporal, s3] = await Promise.all([startTestTemporal(), startTestS3()]);
});
after(() => Promise.all([temporal.stop(), s3.stop()]));
afterEach(killForkedWorkers);

function configurationOf(iterations: number, change: Partial<RunConfigurationInput> = {}): RunConfiguration {
  const training = { 'coarse-pretraining': { iterations }, 'coarse-finetuning': { iterations: iterations + 1 } };
  return testConfiguration({ training, ...change });
}

async function start(run: string, iterations: number, change: Partial<RunConfigurationInput> = {}): Promise<void> {
  const configuration = configurationOf(iterations, change);
  await startRun(temporal.client, { run, configuration, steps: ['coarse-pretraining'] });
}

const resultOf = (run: string) =>
  temporal.client.workflow.getHandle(`${run}/coarse-pretraining`).result() as Promise<{
    readonly step: number;
    readonly interruptions?: Interruptions;
  }>;

/** What `status` shows of it when it has ended. */
async function shown(run: string): Promise<{ text: string; description: RunDescription }> {
  const description = await describeRun(temporal.client, run);
  return { text: attemptLines(description).join('\n'), description };
}

/** Credentials as a file that a worker reads, the right ones or others. */
function credentialsFile(): { variables: NodeJS.ProcessEnv; write: (isRight: boolean) => void } {
  const file = join(temporaryFolder(), 'credentials');
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = s3.environment;
  return {
    variables: {
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_ENDPOINT_URL_S3: s3.configuration.endpoint!,
    },
    write: (isRight) =>
      writeFileSync(
        file,
        `[default]\naws_access_key_id=${isRight ? id : 'AKIAOTHER'}\naws_secret_access_key=${isRight ? secret : 'other'}\n`,
      ),
  };
}

const readiness = async (worker: Awaited<ReturnType<typeof forkGpuWorker>>): Promise<string> =>
  (await askGpuWorker(worker, '/readyz')).text.trim();

test('a worker whose credentials are refused is taken out, its attempt is another’s, and it comes back with good ones', async () => {
  const change = { storage: s3.configuration };
  const credentials = credentialsFile();
  credentials.write(false);
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    const bad = await forkGpuWorker(temporal.settings, temporaryFolder(), [], {
      ...credentials.variables,
      TEMPEH_TEST_BEHAVIOUR: 'refused at start',
    });
    const good = await forkGpuWorker(temporal.settings, temporaryFolder(), [], {
      AWS_ENDPOINT_URL_S3: s3.configuration.endpoint!,
    });
    // Either may take a task: until the bad one has had one.
    let blamed: string | undefined;
    for (let i = 0; i < 20 && blamed === undefined; i++) {
      await start(`refused-${i}`, 2, change);
      const { step, interruptions } = await resultOf(`refused-${i}`);
      assert.equal(step, 2);
      if (interruptions?.attempts?.some(({ unfit }) => unfit === true)) blamed = `refused-${i}`;
    }
    assert.ok(blamed, 'the bad worker never had a task');
    const { description, text } = await shown(blamed);
    const { attempts, warnings, failures } = description.progress!.steps[0]!.interruptions!;
    const name = `${hostname()}:${bad.pid}`;
    assert.deepEqual(
      attempts?.map(({ worker, unfit }) => [worker, unfit === true]),
      [
        [name, true],
        [`${hostname()}:${good.pid}`, false],
      ],
    );
    assert.equal(failures, 1);
    assert.deepEqual(warnings, [`Worker ${name} was at fault, and taken out: They were never accepted.`]);
    assert.match(text, new RegExp(`${name} +They were never accepted`));
    assert.equal(await readiness(bad), 'unfit');
    // It asks for no more, whatever waits.
    for (let i = 0; i < 5; i++) {
      await start(`after-${i}`, 2, change);
      const { interruptions } = await resultOf(`after-${i}`);
      assert.equal(interruptions?.attempts?.[0]?.worker, `${hostname()}:${good.pid}`);
    }
    credentials.write(true);
    await waitFor('the worker to come back', async () => ((await readiness(bad)) === 'ready' ? true : undefined), 40);
  });
});

test('where no other worker is, refused credentials end the run at once, as a person’s fault', async () => {
  process.env['TEMPEH_TEST_BEHAVIOUR'] = 'refused at start';
  try {
    await temporal.withWorkers(testActivities([]), 'data', async () => {
      await withGpuWorker({ temporal: temporal.settings, directory: temporaryFolder() }, async () => {
        await start('alone', 100);
        await assert.rejects(resultOf('alone'));
        const { status, failure, progress } = await describeRun(temporal.client, 'alone');
        assert.deepEqual([status, failure], ['FAILED', 'They were never accepted.']);
        const [step] = progress!.steps;
        assert.equal(step?.failed?.worker, `${hostname()}:${process.pid}`);
        assert.ok(Math.abs(Date.parse(step.failed.at) - Date.now()) < 60_000);
      });
    });
  } finally {
    delete process.env['TEMPEH_TEST_BEHAVIOUR'];
  }
});

test('a worker that the store of the run under way refuses takes no task before that is repaired', async () => {
  const change = { storage: s3.configuration };
  const credentials = credentialsFile();
  credentials.write(false);
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    await start('waits', 2, change);
    const unready = () =>
      forkGpuWorker(temporal.settings, temporaryFolder(), [], { ...credentials.variables, TEMPEH_TEST_UNREADY: 'yes' });
    const saysSo = (worker: Awaited<ReturnType<typeof unready>>) =>
      waitFor('that it says so', async () => ((await readiness(worker)) === 'unfit' ? true : undefined));
    const worker = await unready();
    await saysSo(worker);
    // Another of the same machine has nothing new to say.
    await saysSo(await unready());
    const { activities, progress } = await describeRun(temporal.client, 'waits');
    assert.equal(
      progress?.warnings?.length,
      1,
      'who looks at the run does not know of the log of a worker that does nothing',
    );
    const [warning = ''] = progress.warnings;
    assert.match(
      warning,
      new RegExp(`^20[-\\d: ]+ UTC: worker ${hostname()}:${worker.pid} takes no tasks: s3://.*credentials`),
    );
    assert.ok(
      progressLines(await describeRun(temporal.client, 'waits'))
        .join('\n')
        .includes(`! ${warning}`),
    );
    assert.deepEqual(
      activities.map(({ attempt, worker }) => [attempt, worker]),
      [[1, null]],
      'nobody has taken it',
    );
    credentials.write(true);
    const { step, interruptions } = await resultOf('waits');
    assert.deepEqual([step, interruptions?.failures], [2, 0]);
  });
});

test('a full disk is its worker’s fault: reported, and continued when there is room', async () => {
  process.env['TEMPEH_TEST_BEHAVIOUR'] = 'worker';
  try {
    await temporal.withWorkers(testActivities([]), 'data', async () => {
      await withGpuWorker({ temporal: temporal.settings, directory: temporaryFolder() }, async () => {
        await start('disk', 100);
        const { step, interruptions } = await resultOf('disk');
        assert.equal(step, 100);
        const [first, second] = interruptions?.attempts ?? [];
        assert.deepEqual([first?.unfit, first?.end, second?.end], [true, 'This is a fault of worker.', 'finished']);
        assert.match(interruptions?.warnings?.[0] ?? '', /was at fault, and taken out: This is a fault of worker\.$/);
      });
    });
  } finally {
    delete process.env['TEMPEH_TEST_BEHAVIOUR'];
  }
});

test('what a full disk makes of a write is the worker’s fault, and is seen by the worker itself', async (t) => {
  const disk = await smallDisk('3m');
  if (disk === null) return t.skip('this user may not mount a file system');
  const { directory, resize } = disk;
  assert.equal(await diskObstacle(directory), null);
  const failure = await writeFile(join(directory, 'cache'), Buffer.alloc(4 * 2 ** 20)).catch((error: unknown) => error);
  assert.equal(faultOf(failure), 'worker');
  assert.equal(predictorFaultOf(new Error('The cache could not be written.', { cause: failure })), 'worker');
  assert.match((await diskObstacle(directory)) ?? '', /^Nothing can be written to .*ENOSPC/);
  resize('20m');
  assert.equal(await diskObstacle(directory), null);
  return undefined;
});

test('a GPU that has gone is not computed on, nor is a task taken, until it is back', async () => {
  const directory = temporaryFolder();
  // Once its trainer has begun.
  const broken = join(directory, 'runs', 'gpu', 'coarse-pretraining.pid');
  Object.assign(process.env, { TEMPEH_TEST_BEHAVIOUR: 'crash', TEMPEH_TEST_BROKEN: broken });
  const devices = [{ index: 0, name: 'stand-in', uuid: 'GPU-a', driver: '1.0', memoryBytes: 2 ** 30 }];
  const deviceModule = fileURLToPath(new URL('./support/standInDevice.js', import.meta.url));
  try {
    await temporal.withWorkers(testActivities([]), 'data', async () => {
      await withGpuWorker({ temporal: temporal.settings, directory, devices, deviceModule }, async () => {
        await start('gpu', 100);
        const waiting = await waitFor('the failure', async () => {
          const { activities } = await describeRun(temporal.client, 'gpu');
          return activities[0]?.lastFailure ?? undefined;
        });
        assert.match(waiting, /GPU 0, stand-in: its process ended with 1 \(.*ECC.*\) Its worker was taken out/);
        rmSync(broken);
        const { step, interruptions } = await resultOf('gpu');
        assert.equal(step, 100);
        assert.deepEqual(
          interruptions?.attempts?.map(({ unfit }) => unfit === true),
          [true, false],
        );
      });
    });
  } finally {
    for (const name of ['TEMPEH_TEST_BEHAVIOUR', 'TEMPEH_TEST_BROKEN']) delete process.env[name];
  }
});
