/**
 * Checks alert rules with promtool, and a worker's metrics with a real Prometheus, which scrapes it: `npm run
 * test:monitoring`. Needs both programs (Debian: `prometheus`).
 */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePorts } from '../../infra/services/index.js';
import { packageRoot } from '../../infra/setup/paths.mjs';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { askGpuWorker, forkGpuWorker, gpuWorkerPort, killForkedWorkers } from '../workers/support/gpuWorkers.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const rules = join(packageRoot, 'infra', 'monitoring');
const promtool = (...args: string[]): void => void execFileSync('promtool', args, { cwd: rules, stdio: 'inherit' });
promtool('check', 'rules', 'alerts.yaml');
promtool('test', 'rules', 'alerts.test.yaml');

const folder = temporaryFolder();
const temporal = await startTestTemporal();
const worker = await forkGpuWorker(temporal.settings, join(folder, 'worker'));
// What a scraper gets must be in the text format to the letter.
const { text } = await askGpuWorker(worker, '/metrics');
execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'inherit', 'pipe'] });

const [port] = await choosePorts([0]);
writeFileSync(
  join(folder, 'prometheus.yml'),
  JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(rules, 'alerts.yaml')],
    scrape_configs: [
      { job_name: 'tempeh-flow', static_configs: [{ targets: [`127.0.0.1:${gpuWorkerPort(worker)}`] }] },
    ],
  }),
);
const server = spawn(
  'prometheus',
  [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ],
  { stdio: 'ignore' },
);
let seen = '';
try {
  for (let tries = 0; tries < 120 && seen !== '1'; tries++) {
    await sleep(500);
    const query =
      'up{job="tempeh-flow"} and on() (count(temporal_num_pollers) > 0) and on() (tempeh_worker_unfit == 0)';
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
      () => null,
    );
    if (answer === null || !answer.ok) continue;
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    seen = data.result[0]?.value[1] ?? '';
  }
} finally {
  server.kill('SIGTERM');
  killForkedWorkers();
  await temporal.stop();
}
console.log(
  seen === '1'
    ? 'ok     Prometheus scrapes a worker and knows its numbers'
    : `NOT OK Prometheus has no numbers of the worker, which told ${[...new Set(text.match(/^[a-z_]+/gm))].join(', ')}`,
);
process.exitCode = seen === '1' ? 0 : 1;
