import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveMiniature } from '../../cli/quickstart/host.js';
import { connectClient } from '../../client/connection/client.js';
import { describeRun, type RunDescription } from '../../client/runs/describeRun.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import type { RunStep } from '../../configs/temporal.js';
import { choosePorts, startObjectStore, startTemporal } from '../../infra/services/index.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { chaosMiniature } from '../chaos/chaosMiniature.js';
import { TemporalFront } from '../support/servers/temporalFront.js';
import { issued, TlsFiles } from '../support/servers/tlsFiles.js';
import { Container } from './container.js';

/** Small enough for minutes; a stage long enough to be stopped in its midst. */
const settings = [
  'supervision.progressTimeoutSeconds=60',
  'training.coarse-pretraining.iterations=120',
  'training.coarse-finetuning.iterations=160',
  'training.refinement.iterations=20',
];
const graceSeconds = 30;
/** Inside, for all users. */
const [certificates, runFolder] = ['/certificates', '/run-files'];

export interface Scene {
  readonly directory: string;
  readonly images: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
  /** Called at the end, the last first. */
  readonly cleanups: (() => Promise<void>)[];
}

/**
 * A run from its start to its end by containers of the three images: roots that cannot be written, a user without a name, TLS with
 * certificates of a CA of our own to Temporal; a GPU worker is stopped within its grace, and another goes on.
 */
export async function playScenario({ directory, images, say, cleanups }: Scene): Promise<void> {
  const temporal = await startTemporal({ directory: join(directory, 'temporal'), port: 0, uiPort: 0 });
  cleanups.push(() => temporal.stop());
  const objects = await startObjectStore({ directory: join(directory, 's3'), port: 0, bucket: 'chaos' });
  cleanups.push(() => objects.stop());
  const data = { preset: 'miniature', changes: chaosMiniature } as const;
  const host = await serveMiniature(join(directory, 'host'), 0, data, () => undefined, AbortSignal.timeout(300_000));
  cleanups.push(() => host.close());
  const tls = issued('images');
  const demanding = { ...tls.context, requestCert: true, rejectUnauthorized: true };
  const front = await TemporalFront.start(temporal.address, demanding);
  cleanups.push(() => front.stop());

  const folder = (name: string): string => {
    const made = join(directory, name);
    mkdirSync(made);
    return made;
  };
  const files = folder('certificates');
  const named = new TlsFiles(files).write(tls);
  for (const file of Object.values(named)) chmodSync(file, 0o644);
  const inside = Object.entries(named).map(([name, file]) => [name, file.replace(files, certificates)] as const);
  const environment: Record<string, string> = {
    ...Object.fromEntries(inside),
    TEMPORAL_ADDRESS: front.address,
    TEMPORAL_CONFIG_FILE: '/dev/null',
    TEMPEH_GRACE_SECONDS: String(graceSeconds),
    AWS_ACCESS_KEY_ID: objects.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: objects.credentials.secretAccessKey,
    AWS_REGION: objects.region,
    AWS_ENDPOINT_URL_S3: objects.endpoint,
    ...host.environment,
  };
  const configuration = await loadConfiguration(join(packageRoot, 'test', 'chaos', 'chaos.yaml'), settings);
  if (configuration.dataset.source.kind !== 'bundles') throw new Error('chaos.yaml trains from bundles');
  const source = { ...configuration.dataset.source, host: host.address };
  const runFiles = folder('run');
  writeFileSync(
    join(runFiles, 'run.yaml'),
    JSON.stringify({ ...configuration, dataset: { ...configuration.dataset, source } }),
  );

  const read = { [certificates]: files, [runFolder]: runFiles };
  const client = (...command: string[]): Promise<string> =>
    Container.run({
      name: `tempeh-client-${process.pid}`,
      image: images['client']!,
      command,
      environment,
      volumes: read,
    });
  const [dataPort, gpuPort] = (await choosePorts([0, 0])) as [number, number];
  const worker = (
    kind: 'data' | 'gpu',
    name: string,
    port: number,
    place: string,
    more: string[],
  ): Promise<Container> =>
    Container.start({
      name: `tempeh-${name}-${process.pid}`,
      image: images[kind]!,
      command: ['worker', kind, `--directory=${place}`, `--metrics=127.0.0.1:${port}`, ...more],
      environment,
      // Made by the engine, and ours by what the image says.
      volumes: { [certificates]: files, [place]: `tempeh-${name}-${process.pid}` },
    });
  const gpuWorker = (name: string): Promise<Container> => worker('gpu', name, gpuPort, '/frames', ['--cpu']);

  assert.match(
    await client('start', 'full-training', '--config', `${runFolder}/run.yaml`, '--run', 'shipped'),
    /Started shipped/,
  );
  say('client: started a run');
  const dataWorker = await worker('data', 'data', dataPort, '/data', []);
  const first = await gpuWorker('gpu-a');
  const temporalClient = await connectClient({ address: temporal.address, namespace: temporal.namespace });
  cleanups.push(() => temporalClient.connection.close());
  const until = async <T>(what: string, seconds: number, look: (run: RunDescription) => T | null): Promise<T> => {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await describeRun(temporalClient, 'shipped');
      const found = look(run);
      if (found !== null) return found;
      assert.equal(run.status, 'RUNNING', run.failure ?? what);
      for (const container of [dataWorker, current]) {
        if (!(await container.isRunning())) assert.fail(await container.log());
      }
      if (Date.now() > end) assert.fail(`${what}: ${await dataWorker.log()}\n${await current.log()}`);
      await sleep(500);
    }
  };
  let current = first;
  const trained = (stage: RunStep, step: number) => (run: RunDescription) =>
    run.progress?.training?.stage === stage && run.progress.training.step >= step ? true : null;
  await until('the first stage trains', 300, trained('coarse-pretraining', 15));
  assert.doesNotMatch(await dataWorker.log(), /Workflow bundle created/, 'the bundle is in the image');
  for (const port of [dataPort, gpuPort]) {
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) });
    assert.equal(metrics.status, 200);
  }
  say('data, gpu: fetched, packed and trains, as user 10001 on read-only roots, over TLS with certificates of our own');

  const before = Date.now();
  const code = await first.stop(graceSeconds + 2);
  assert.equal(code, 0, await first.log());
  const seconds = (Date.now() - before) / 1000;
  assert.ok(seconds < graceSeconds, `${seconds} s`);
  say(`gpu: SIGTERM in training, saved and ended by itself after ${seconds.toFixed(1)} s`);
  current = await gpuWorker('gpu-b');
  await until('the run ends', 600, ({ status }) => (status === 'COMPLETED' ? true : null));
  const result = (await temporalClient.workflow.getHandle('shipped').result()) as FullTrainingResult;
  assert.deepEqual(
    result.stages.map(({ step }) => step),
    [120, 160, 20],
  );
  assert.ok(result.evaluation !== null);
  const status = await client('status', 'shipped');
  assert.match(status, /shipped: completed/);
  assert.match(status, /1 pre-emption/);
  say('gpu, another container: went on, all stages trained, evaluated');
  for (const [name, container] of [
    ['data', dataWorker],
    ['gpu', current],
  ] as const) {
    const ended = await container.stop(graceSeconds + 2);
    assert.equal(ended, 0, `${name}: ${await container.log()}`);
  }
  say('both workers ended by SIGTERM with code 0');
}
