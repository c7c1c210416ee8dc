import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Client } from '@temporalio/client';
import { serveMiniature, type ServedMiniature } from '../../../cli/quickstart/host.js';
import type { RunConfiguration } from '../../../configs/schema/run.js';
import type { MiniatureSettings } from '../../../miniature/settings.js';
import {
  startObjectStore,
  startTemporal,
  type ObjectStoreService,
  type TemporalService,
} from '../../../infra/services/index.js';
import { openStore } from '../../../storage/openStore.js';
import type { ObjectStore } from '../../../storage/types.js';
import { connectClient } from '../../../client/connection/client.js';
import { main } from '../../support/commandLine.js';
import { Journal } from './journal.js';
import { canMount, ManagedWorker } from './managedWorker.js';
import { hasNamespace, mountDisk } from './namespace.js';
import { NetworkCut } from '../faults/networkCut.js';
import { setPace } from './pace.js';
import { groupOf, signal } from './processes.js';
import { S3Proxy } from '../../support/servers/s3Proxy.js';

export interface ClusterOptions {
  readonly directory: string;
  readonly configuration: RunConfiguration;
  readonly miniature: Partial<MiniatureSettings>;
  readonly gpuWorkers: number;
  /** Whether workers have disks of their own, which faults can fill; true if absent. */
  readonly disks?: boolean;
}

const diskBytes = 64 * 2 ** 20;
/** Of the data worker; unlike a GPU worker's it outlives the process. */
const dataDiskBytes = 256 * 2 ** 20;

/** A GPU worker, with the network between it and Temporal. */
export interface GpuNode {
  readonly worker: ManagedWorker;
  readonly network: NetworkCut;
}

/** Everything that a run needs, on this machine: services, workers, and the networks between them, each of which can be harmed. */
export class Cluster {
  private readonly cleanups: (() => Promise<void>)[] = [];
  temporal!: TemporalService;
  objectStore!: ObjectStoreService;
  s3!: S3Proxy;
  data!: ManagedWorker;
  client!: Client;
  /** Past the proxy. */
  store!: ObjectStore;
  journal!: Journal;
  /** What the trainers' pace is read from (pace.ts). */
  paceFile!: string;
  /** With the host's address, and a prefix of the run's own. */
  configuration!: RunConfiguration;
  readonly gpus: GpuNode[] = [];
  /** Somebody will resume the run: its end is that of the execution that comes then. */
  isToBeResumed = false;
  private host!: ServedMiniature;
  private clockFile!: string;

  private constructor(
    /** The run that faults are for. */
    public run: string,
    private readonly options: ClusterOptions,
  ) {}

  /** @param run names it, its journal and its part of the bucket. */
  static async start(run: string, options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(run, options);
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const cleanup of this.cleanups.reverse()) {
      await cleanup().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    }
  }

  /** Another run takes the place of the one that has ended. */
  goOnWith(run: string): void {
    this.run = run;
    this.journal.forget();
  }

  async startTemporal(): Promise<void> {
    const { directory } = this.options;
    const ports = this.temporal?.ports ?? [0, 0];
    const [port = 0, uiPort = 0] = ports;
    this.temporal = await startTemporal({ directory: join(directory, 'temporal'), port, uiPort, modest: true });
  }

  async startObjectStore(): Promise<void> {
    const { directory, configuration } = this.options;
    const [port = 0] = this.objectStore?.ports ?? [];
    const bucket = configuration.storage.kind === 's3' ? configuration.storage.bucket : 'chaos';
    this.objectStore = await startObjectStore({ directory: join(directory, 's3'), port, bucket });
  }

  /** The S3 server knows another key pair from now on; the workers' file still has the old one. */
  async replaceKeys(): Promise<void> {
    await this.objectStore.stop();
    rmSync(this.objectStore.credentialsFile);
    await this.startObjectStore();
  }

  /** The file that workers have their credentials from gets those of the S3 server. */
  renewCredentials(): void {
    const { accessKeyId, secretAccessKey } = this.objectStore.credentials;
    const lines = ['[default]', `aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`, ''];
    const file = join(this.options.directory, 'credentials');
    writeFileSync(`${file}.new`, lines.join('\n'), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  /** The clocks of the workers and all that they start go so much ahead. */
  shiftClocks(seconds: number): void {
    writeFileSync(this.clockFile, String(seconds));
  }

  /** To all processes of a service. */
  signalService(service: 'temporal' | 'objectStore', name: NodeJS.Signals): void {
    for (const pid of groupOf(this[service].pid)) signal(pid, name);
  }

  /** Where the S3 server keeps an object of the run's. */
  fileOf(key: string): string {
    const { storage } = this.configuration;
    if (storage.kind !== 's3') throw new Error('the store is no bucket');
    return join(this.options.directory, 's3', 'objects', storage.bucket, storage.prefix, key);
  }

  /** An object is gone, as one that somebody deletes. @returns what brings it back, as a restored copy */
  takeAway(key: string): () => void {
    const file = this.fileOf(key);
    // Beside the objects: the S3 server shows whatever lies among them.
    const kept = join(this.options.directory, 's3', 'taken-away', key);
    mkdirSync(dirname(kept), { recursive: true });
    renameSync(file, kept);
    return () => {
      mkdirSync(dirname(file), { recursive: true });
      renameSync(kept, file);
    };
  }

  private async startAll(): Promise<void> {
    const { directory, configuration, miniature, gpuWorkers, disks = true } = this.options;
    const logs = join(directory, 'logs', this.run);
    mkdirSync(logs, { recursive: true });
    await this.startTemporal();
    this.cleanups.push(() => this.temporal.stop());
    await this.startObjectStore();
    this.cleanups.push(() => this.objectStore.stop());
    this.host = await serveMiniature(
      join(directory, 'host'),
      0,
      { preset: 'miniature', changes: miniature },
      () => undefined,
      AbortSignal.timeout(300_000),
    );
    this.cleanups.push(() => this.host.close());
    this.s3 = await S3Proxy.start(() => this.objectStore.ports[0]!);
    this.cleanups.push(() => this.s3.stop());

    const credentials = {
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
      AWS_REGION: this.objectStore.region,
      // Of whoever started this.
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    };
    Object.assign(process.env, credentials);
    this.renewCredentials();
    const { storage, dataset } = configuration;
    if (storage.kind !== 's3' || dataset.source.kind !== 'bundles') throw new Error('chaos trains from bundles, in S3');
    const own = { ...storage, prefix: `${this.run}/` };
    this.store = openStore({ ...own, endpoint: this.objectStore.endpoint }, { warn: () => undefined });
    const source = { ...dataset.source, host: this.host.address };
    this.configuration = { ...configuration, storage: own, dataset: { ...dataset, source } };

    const { address, namespace } = this.temporal;
    this.client = await connectClient({ address, namespace });
    this.cleanups.push(() => this.client.connection.close());
    const journal = join(logs, 'steps.jsonl');
    writeFileSync(journal, '');
    this.journal = new Journal(journal);
    this.paceFile = join(logs, 'pace.json');
    setPace(this.paceFile, null);
    this.clockFile = join(logs, 'clock');
    this.shiftClocks(0);
    const clock = fileURLToPath(new URL('../faults/shiftedClock.js', import.meta.url));
    const environment = {
      AWS_ENDPOINT_URL_S3: this.s3.endpoint,
      ...credentials,
      TEMPEH_TEST_JOURNAL: journal,
      TEMPEH_TEST_PACE: this.paceFile,
      TEMPEH_TEST_CLOCK: this.clockFile,
      NODE_OPTIONS: `--import=${pathToFileURL(clock).href}`,
    };
    const folderOf = (name: string): string => join(directory, 'workers', this.run, name);
    mkdirSync(folderOf('data'), { recursive: true });
    if (hasNamespace && disks) {
      const unmount = mountDisk(folderOf('data'), dataDiskBytes);
      this.cleanups.push(async () => unmount());
    }
    this.data = new ManagedWorker({
      name: 'data worker',
      command: [main, 'worker', 'data', '--directory', folderOf('data')],
      directory: folderOf('data'),
      diskBytes: null,
      environment: { ...environment, ...this.host.environment, TEMPORAL_ADDRESS: address },
      logFile: join(logs, 'data-worker.log'),
    });
    await this.data.start();
    this.cleanups.push(() => this.data.stop());
    const module = fileURLToPath(new URL('./gpuWorkerProcess.js', import.meta.url));
    for (let index = 0; index < gpuWorkers; index++) {
      const network = await NetworkCut.start(() => this.temporal.ports[0]!);
      this.cleanups.push(() => network.stop());
      const name = `gpu-${'ab'[index] ?? index}`;
      const worker = new ManagedWorker({
        name: `GPU worker ${'AB'[index] ?? index}`,
        command: [module, folderOf(name)],
        directory: folderOf(name),
        diskBytes: canMount === undefined || !disks ? null : diskBytes,
        environment: { ...environment, TEMPORAL_ADDRESS: network.address },
        logFile: join(logs, `${name}-worker.log`),
      });
      await worker.start();
      this.cleanups.push(() => worker.stop());
      this.gpus.push({ worker, network });
    }
  }
}
