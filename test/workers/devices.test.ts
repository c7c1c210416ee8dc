import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Device } from '../../activities/devices.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { withDevices } from '../../client/runs/devices.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { startRun } from '../../client/runs/runs.js';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import { cacheVariables, frameCacheOf } from '../../configs/frameCache.js';
import { shareOf } from '../../configs/slots.js';
import { checkDevices } from '../../workers/devices/checkDevices.js';
import { chooseDevices, NoDevice, processor } from '../../workers/devices/gpus.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { withGpuWorker } from './support/gpuWorkers.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const root = temporaryFolder();
const moduleOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A machine whose nvidia-smi says so; null: it has none. */
async function machine(says: string | null, more: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  const folder = temporaryFolder();
  if (says !== null) {
    await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\n${says}\n`);
    await chmod(join(folder, 'nvidia-smi'), 0o755);
  }
  return { PATH: says === null ? folder : [folder, '/usr/bin', '/bin'].join(delimiter), ...more };
}
const three = `cat <<END
0, NVIDIA H200, GPU-aaaa, 570.86.15, 143771
1, NVIDIA H200, GPU-bbbb, 570.86.15, 143771
2, NVIDIA A100-SXM4-40GB, GPU-cccc, 570.86.15, [N/A]
END`;
const indices = (devices: readonly Device[]) => devices.map(({ index }) => index);

describe('which devices a worker has', () => {
  test('all, those that are named, or those that the environment leaves visible', async () => {
    const all = await chooseDevices({ gpus: 'all', cpu: false }, await machine(three));
    assert.deepEqual(all[1], {
      index: 1,
      name: 'NVIDIA H200',
      uuid: 'GPU-bbbb',
      driver: '570.86.15',
      memoryBytes: 143771 * 2 ** 20,
    });
    assert.equal(all[2]!.memoryBytes, null);
    const choose = async (gpus: string | undefined, more = {}) =>
      indices(await chooseDevices({ gpus, cpu: false }, await machine(three, more)));
    assert.deepEqual(await choose('0,2'), [0, 2]);
    assert.deepEqual(await choose(undefined), [0, 1, 2]);
    assert.deepEqual(await choose(undefined, { CUDA_VISIBLE_DEVICES: 'GPU-cc,1' }), [2, 1]);
  });

  test('without a GPU it refuses, unless the processor will do', async () => {
    const none = await machine(null);
    await assert.rejects(chooseDevices({ gpus: undefined, cpu: false }, none), (error) => {
      assert.ok(error instanceof NoDevice);
      assert.match(error.message, /no nvidia-smi, and so no NVIDIA driver.*--cpu/);
      return true;
    });
    assert.deepEqual(await chooseDevices({ gpus: undefined, cpu: true }, none), [processor]);
    await assert.rejects(
      chooseDevices({ gpus: '5', cpu: true }, await machine(three)),
      /--gpus 5: .*there are 0, 1, 2/,
    );
    const broken = await machine('echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
    await assert.rejects(chooseDevices({ gpus: undefined, cpu: false }, broken), /version mismatch/);
  });
});

test('something is computed on a device before a task is taken: of the processor it is right, of a GPU it must be a GPU', async () => {
  const warnings: string[] = [];
  const check = (devices: readonly Device[], module: string) =>
    checkDevices(devices, module, (text) => warnings.push(text), new AbortController().signal);
  const ours = moduleOf('../../workers/devices/deviceProcess.js');
  assert.deepEqual(await check([processor], ours), [processor]);
  const [gpu, broken] = standIns(['GPU-aaaa', 'GPU-broken']);
  await assert.rejects(check([gpu!], ours), /GPU 0, stand-in: TensorFlow does not see it/);
  assert.deepEqual(await check([gpu!, broken!], moduleOf('./support/standInDevice.js')), [gpu]);
  assert.match(warnings[0]!, /^GPU 1, stand-in: its process ended with 1 \(.*ECC.*\)\. It is left out\.$/);
});

function standIns(uuids: readonly string[]): Device[] {
  return uuids.map((uuid, index) => ({ index, name: 'stand-in', uuid, driver: '1.0', memoryBytes: 2 ** 30 }));
}

test('threads are shared out; the cache is one, whose limit is that of all', () => {
  assert.deepEqual(shareOf({ threads: 6, cacheBytes: 100, prefetch: 3 }, 4), {
    threads: 1,
    cacheBytes: 100,
    prefetch: 3,
  });
});

test('where the cache of a worker is, and what it may take: options before variables, bytes by their unit', () => {
  const given = { [cacheVariables.directory]: '/nvme/frames', [cacheVariables.bytes]: '186GiB' };
  assert.deepEqual(frameCacheOf('/w', {}, {}), { directory: '/w/cache', limitBytes: null });
  assert.deepEqual(frameCacheOf('/w', {}, given), { directory: '/nvme/frames', limitBytes: 186 * 2 ** 30 });
  for (const [text, bytes] of [
    ['200000000000', 2e11],
    ['2e11', 2e11],
    ['1.5T', 1.5e12],
    ['200 GB', 2e11],
    ['180Gi', 180 * 2 ** 30],
  ] as const) {
    assert.equal(frameCacheOf('/w', { bytes: text }, given).limitBytes, bytes, text);
  }
  for (const bytes of ['0', '-1', 'all', '200 gigabytes', '1.2.3G', '']) {
    if (bytes === '') assert.equal(frameCacheOf('/w', { bytes }, {}).limitBytes, null);
    else
      assert.throws(
        () => frameCacheOf('/w', { bytes }, {}),
        /--cache-bytes or TEMPEH_FRAME_CACHE_BYTES.*expected bytes above 0/s,
      );
  }
});

describe('a worker with two devices', () => {
  test('trains two runs at once, each on a device that the other does not see; status and list say which', async () => {
    const directory = join(root, 'worker');
    const devices = standIns(['GPU-aaaa', 'GPU-bbbb']);
    const configuration = testConfiguration({
      training: { 'coarse-pretraining': { iterations: 100_000 }, 'coarse-finetuning': { iterations: 100_001 } },
    });
    const deviceModule = moduleOf('./support/standInDevice.js');
    await temporal.withWorkers(testActivities([]), 'data', async () => {
      const cache = frameCacheOf(directory, { cache: join(root, 'frames'), bytes: '3G' });
      await withGpuWorker({ temporal: temporal.settings, directory, devices, deviceModule, cache }, async () => {
        const found: string[] = [];
        for (const run of ['one', 'two']) {
          await startRun(temporal.client, { run, configuration, steps: ['coarse-pretraining'] });
        }
        for (const run of ['one', 'two']) {
          const description = await waitFor(`steps of ${run}`, async () => {
            const description = await describeRun(temporal.client, run);
            return (description.progress?.training?.step ?? 0) > 1 ? description : undefined;
          });
          const [activity] = description.activities;
          assert.match(activity!.worker!, /^gpu@.*:\d+ stand-in GPU-aaaa stand-in GPU-bbbb$/);
          const label = /on (GPU \d, stand-in)/.exec(progressLines(description).join('\n'))?.[1];
          const seen = JSON.parse(
            await readFile(join(directory, 'runs', run, 'coarse-pretraining.device'), 'utf8'),
          ) as Record<string, unknown>;
          const { heartbeat } = activity!;
          assert.ok(heartbeat !== null && 'device' in heartbeat);
          assert.equal(heartbeat.device?.uuid, seen['device'], 'it sees the device that is reported');
          assert.equal(label, `GPU ${heartbeat.device?.index}, stand-in`);
          const threads = String(Math.max(1, Math.floor(availableParallelism() / 2)));
          assert.deepEqual([seen['slots'], seen['threads'], seen['memory']], ['2', threads, String(2 ** 30)]);
          // One for both, which the worker's owner has put elsewhere.
          assert.deepEqual(seen['cache'], { directory: join(root, 'frames'), limitBytes: 3e9 });
          found.push(label);
        }
        assert.deepEqual(found.sort(), ['GPU 0, stand-in', 'GPU 1, stand-in']);
        const listed = await withDevices(temporal.client, await listRuns(temporal.client));
        assert.deepEqual(listed.flatMap((run) => run.devices).sort(), found);
      });
    });
  });
});
