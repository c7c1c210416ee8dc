import type { Argv, CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface WorkerArguments extends GlobalOptions, ConnectionOptions {
  directory: string;
  deployment: string | undefined;
  'build-id': string | undefined;
  grace: number | undefined;
  metrics: string | undefined;
  'log-level': string | undefined;
}

const variables =
  'From the environment: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…; the AWS variables for the object store (AWS_ENDPOINT_URL_S3, AWS_PROFILE, …)';

const limits =
  'What inputs of workflows may name: endpoints in TEMPEH_STORES, folders below those in TEMPEH_FOLDERS (docs/security.md).';

function workerOptions<T>(yargs: Argv<T>, kind: string): Argv<T & Omit<WorkerArguments, keyof GlobalOptions>> {
  return withConnectionOptions(yargs)
    .option('directory', {
      type: 'string',
      default: `tempeh-${kind}-worker`,
      describe: 'Folder of caches, downloads, logs: a fast disk with room',
    })
    .option('deployment', {
      type: 'string',
      describe: 'Versioned: gets tasks once its build is promoted [default: TEMPORAL_DEPLOYMENT_NAME, or unversioned]',
    })
    .option('build-id', {
      type: 'string',
      describe: 'Names its code [default: TEMPORAL_WORKER_BUILD_ID, or version and hash of the code]',
    })
    .option('grace', {
      type: 'number',
      describe:
        'Seconds from the signal that stops it to its end; saving that does not fit is skipped [default: TEMPEH_GRACE_SECONDS, or what runs say]',
    })
    .option('metrics', {
      type: 'string',
      describe: 'HOST:PORT of /metrics (Prometheus), /healthz, /readyz: 0.0.0.0:9464, or :9464 for this machine alone',
    })
    .option('log-level', {
      choices: ['trace', 'debug', 'info', 'warn', 'error'] as const,
      describe: 'Least level that it and its trainers log [default: TEMPEH_LOG_LEVEL, or info]',
    })
    .example(`$0 worker ${kind} --directory /data/tempeh`, 'Until SIGTERM or Ctrl-C: what runs saves first');
}

const data: CommandModule<GlobalOptions, WorkerArguments> = {
  command: 'data',
  describe: 'Fetches, extracts, packs, evaluates; runs the workflows',
  builder: (yargs) =>
    workerOptions(yargs, 'data').epilogue(
      `${variables}; TEMPEH_USERNAME and TEMPEH_PASSWORD (or TEMPEH_USERNAME_FILE, TEMPEH_PASSWORD_FILE) for TEMPEH_HOST, by default the published host (several hosts: TEMPEH_HOSTS_FILE). ${limits}`,
    ),
  handler: async (options) => {
    const { worker } = await import('../../machine/worker.js');
    process.exitCode = await worker('data', options);
  },
};

interface GpuWorkerArguments extends WorkerArguments {
  tasks: number | undefined;
  'exit-when-idle': number | undefined;
  gpus: string | undefined;
  cpu: boolean;
  cache: string | undefined;
  'cache-bytes': string | undefined;
  work: 'train' | 'predict' | 'all';
}

const gpu: CommandModule<GlobalOptions, GpuWorkerArguments> = {
  command: 'gpu',
  describe: 'Trains and predicts, one stage or shard at a time on each GPU',
  builder: (yargs) =>
    workerOptions(yargs, 'gpu')
      .option('gpus', {
        type: 'string',
        describe:
          'all, or numbers as nvidia-smi has them: 0,2. A process each, which share threads [default: those of CUDA_VISIBLE_DEVICES, or all]',
      })
      .option('cpu', {
        type: 'boolean',
        default: false,
        describe: 'Compute on the processor where there is no GPU; refused otherwise',
      })
      .option('cache', {
        type: 'string',
        describe:
          'Folder of the cache of frames, which all runs and workers of a node may share [default: TEMPEH_FRAME_CACHE, or cache in its folder]',
      })
      .option('cache-bytes', {
        type: 'string',
        describe:
          'What it may take for all together: 200G, 186GiB [default: TEMPEH_FRAME_CACHE_BYTES, or loader.cacheBytes of the runs]',
      })
      .option('work', {
        choices: ['all', 'train', 'predict'] as const,
        default: 'all' as const,
        describe: 'What it takes: stages, shards of predictions, or whichever waits',
      })
      .option('tasks', { type: 'number', describe: 'Stages or shards that it takes, then it ends: for one job a task' })
      .option('exit-when-idle', { type: 'number', describe: 'Seconds without a task after which it ends' })
      .example('$0 worker gpu --gpus 0,1', 'Two slots: each process sees one GPU')
      .example('$0 worker gpu --work predict', 'Beside workers that train for weeks')
      .example('$0 worker gpu --cache /nvme/frames --cache-bytes 1.5T', 'A cache for all workers of a machine')
      .example('$0 worker gpu --cpu', 'Enough for the miniature')
      .epilogue(`${variables}. ${limits}`),
  handler: async (options) => {
    const { worker } = await import('../../machine/worker.js');
    process.exitCode = await worker('gpu', options);
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.command(data).command(gpu).demandCommand(1, 'Which: data or gpu?'),
  handler: () => undefined,
};
