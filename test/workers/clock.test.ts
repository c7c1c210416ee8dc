import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { cancelRun, startRun } from '../../client/runs/runs.js';
import { runReport } from '../../report/runReport.js';
import { clockAhead, clockProblem } from '../../storage/s3/clock.js';
import { keys } from '../../storage/keys.js';
import { startTestS3, type TestS3 } from '../support/servers/s3.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { askGpuWorker, forkGpuWorker, killForkedWorkers } from './support/gpuWorkers.js';

let temporal: TestTemporal;
let s3: TestS3;
before(async () => {
  [temporal, s3] = await Promise.all([startTestTemporal(), startTestS3()]);
});
after(() => Promise.all([temporal.stop(), s3.stop()]));
afterEach(killForkedWorkers);

test('a worker whose clock is half an hour ahead of the store’s trains, and says so wherever people look', async () => {
  const clock = join(temporaryFolder(), 'clock');
  writeFileSync(clock, '1800');
  const shifted = fileURLToPath(new URL('../chaos/faults/shiftedClock.js', import.meta.url));
  const configuration = testConfiguration({
    storage: s3.configuration,
    supervision: { progressTimeoutSeconds: 60, lostWorkerSeconds: 60 },
    training: { 'coarse-pretraining': { iterations: 100_000 }, 'coarse-finetuning': { iterations: 100_001 } },
  });
  const store = s3.store();
  await store.put(keys.runConfiguration('late'), Buffer.from(JSON.stringify(configuration)));
  assert.equal(clockProblem(), null, `this process's own is right: ${clockAhead()} s`);
  await temporal.withWorkers(testActivities([]), 'data', async () => {
    await startRun(temporal.client, { run: 'late', configuration, steps: ['coarse-pretraining'] });
    const worker = await forkGpuWorker(temporal.settings, temporaryFolder(), [], {
      ...s3.environment,
      AWS_ENDPOINT_URL_S3: s3.configuration.endpoint!,
      TEMPEH_TEST_CLOCK: clock,
      NODE_OPTIONS: `--import=${pathToFileURL(shifted).href}`,
    });
    const wanted = `Worker ${hostname()}:${worker.pid}: its clock is 30 minutes ahead of the object store's: set it, by NTP.`;
    await waitFor('the warning in status', async () => {
      const lines = progressLines(await describeRun(temporal.client, 'late')).join('\n');
      return lines.includes(wanted) ? lines : undefined;
    });
    const { text } = await askGpuWorker(worker, '/metrics');
    const ahead = Number(/^tempeh_worker_clock_ahead_seconds (\d+)$/m.exec(text)?.[1]);
    assert.ok(Math.abs(ahead - 1800) < 5, `${ahead}`);
    await cancelRun(temporal.client, 'late');
    const { progress } = await describeRun(temporal.client, 'late');
    const [warning] = progress?.steps[0]?.interruptions?.warnings ?? [];
    assert.ok(warning?.startsWith(wanted), warning);
  });
  const page = (await runReport({ store, run: 'late' })) ?? '';
  assert.match(page, /<p class="warning">coarse-pretraining: Worker .* its clock is 30 minutes ahead .* UTC\)<\/p>/);
});
