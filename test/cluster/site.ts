import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { serveMiniature } from '../../cli/quickstart/host.js';
import { connectClient } from '../../client/connection/client.js';
import { temporalSettings } from '../../client/connection/connectionSettings.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { startObjectStore } from '../../infra/services/index.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { Journal } from '../chaos/cluster/journal.js';
import { ManagedWorker } from '../chaos/cluster/managedWorker.js';
import { setPace } from '../chaos/cluster/pace.js';
import { chaosMiniature } from '../chaos/chaosMiniature.js';
import { main, tempehFlow, type Finished } from '../support/commandLine.js';
import type { Certificates } from './certificates.js';

const workerNames = ['data-a', 'data-b', 'gpu-a', 'gpu-b'] as const;
export type WorkerName = (typeof workerNames)[number];

/** Long enough for a restart of each service, short enough for a kill to be noticed while one waits. */
const settings = [
  'supervision.progressTimeoutSeconds=30',
  'training.coarse-pretraining.iterations=100',
  'training.coarse-finetuning.iterations=160',
  'training.refinement.iterations=40',
  'predictions.shardsAtOnce=8',
];

export const namespace = 'heads';

/** What a team has around a Temporal cluster: a bucket, the data, two workers of each kind, and a person at a command line. */
export class Site {
  readonly workers = new Map<WorkerName, ManagedWorker>();
  readonly journals = new Map<WorkerName, Journal>();
  private readonly cleanups: (() => Promise<void>)[] = [];
  private readonly paceFile: string;
  private environment: Record<string, string> = {};
  store!: ObjectStore;
  configuration!: RunConfiguration;

  private constructor(
    private readonly directory: string,
    private readonly address: string,
    private readonly certificates: Certificates,
  ) {
    this.paceFile = join(directory, 'pace.json');
  }

  static async start(directory: string, address: string, certificates: Certificates): Promise<Site> {
    const site = new Site(directory, address, certificates);
    try {
      await site.startServices();
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  /** The environment of a caller's commands. */
  environmentOf(caller: Parameters<Certificates['environmentOf']>[0]): Record<string, string> {
    const tls = this.certificates.environmentOf(caller);
    return { ...this.environment, ...tls, TEMPORAL_ADDRESS: this.address, TEMPORAL_NAMESPACE: namespace };
  }

  command(args: readonly string[], more: Record<string, string> = {}): Promise<Finished> {
    return tempehFlow(args, { ...this.environmentOf('operator'), ...more });
  }

  /** @param keys whether payloads can be read. */
  client(keys = true): Promise<Client> {
    const environment = this.environmentOf('operator');
    return connectClient(temporalSettings(environment), keys ? environment : {});
  }

  /** A file that `start --config` takes. */
  configurationFile(): string {
    const file = join(this.directory, 'run.yaml');
    writeFileSync(file, JSON.stringify(this.configuration));
    return file;
  }

  /** From this step on trainers creep; null: nowhere. */
  creepFrom(step: number | null): void {
    setPace(this.paceFile, step === null ? null : { stage: 'coarse-pretraining', step });
  }

  async startWorkers(): Promise<void> {
    for (const name of workerNames) await this.startWorker(name);
  }

  logOf(name: WorkerName): string {
    return join(this.directory, `${name}.log`);
  }

  async stopWorker(name: WorkerName): Promise<void> {
    await this.workers.get(name)?.stop();
    this.workers.delete(name);
  }

  async startWorker(name: WorkerName): Promise<void> {
    const directory = join(this.directory, 'workers', name);
    mkdirSync(directory, { recursive: true });
    const journal = join(this.directory, `${name}.steps.jsonl`);
    this.journals.set(name, new Journal(journal));
    const gpuModule = fileURLToPath(new URL('../chaos/cluster/gpuWorkerProcess.js', import.meta.url));
    const command = name.startsWith('data')
      ? [main, 'worker', 'data', '--directory', directory]
      : [gpuModule, directory];
    const environment = {
      ...this.environmentOf(name),
      TEMPEH_TEST_JOURNAL: journal,
      TEMPEH_TEST_PACE: this.paceFile,
    };
    const worker = new ManagedWorker({
      name,
      command,
      directory,
      diskBytes: null,
      environment,
      logFile: this.logOf(name),
    });
    this.workers.set(name, worker);
    await worker.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
    for (const cleanup of this.cleanups.reverse()) await cleanup();
  }

  private async startServices(): Promise<void> {
    const { directory } = this;
    const objects = await startObjectStore({ directory: join(directory, 's3'), port: 0, bucket: 'chaos' });
    this.cleanups.push(() => objects.stop());
    const host = await serveMiniature(
      join(directory, 'host'),
      0,
      { preset: 'miniature', changes: chaosMiniature },
      () => undefined,
      AbortSignal.timeout(300_000),
    );
    this.cleanups.push(() => host.close());
    this.environment = {
      AWS_ACCESS_KEY_ID: objects.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objects.credentials.secretAccessKey,
      AWS_REGION: objects.region,
      AWS_ENDPOINT_URL_S3: objects.endpoint,
      TEMPEH_PAYLOAD_KEYS: `cluster ${randomBytes(32).toString('base64')}`,
      ...host.environment,
    };
    Object.assign(process.env, this.environment);
    const loaded = await loadConfiguration(join(packageRoot, 'test', 'chaos', 'chaos.yaml'), settings);
    if (loaded.dataset.source.kind !== 'bundles') throw new Error('chaos.yaml trains from bundles');
    const source = { ...loaded.dataset.source, host: host.address };
    this.configuration = { ...loaded, dataset: { ...loaded.dataset, source } };
    this.store = openStore(this.configuration.storage, { warn: () => undefined });
    this.creepFrom(5);
  }
}
