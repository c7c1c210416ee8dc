import { hostname } from 'node:os';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { deploymentOptions, workerVersion, type WorkerVersion } from './workerVersion.js';
import { LineLogger } from './log.js';
import { installRuntime } from './runtime.js';
import { stopSignal } from './stop.js';
import type { TemporalSettings } from '../client/connectionSettings.js';
import { connectWorker } from './workerConnection.js';

/** What both kinds of worker are given. */
export interface WorkerProcessOptions {
  readonly temporal: TemporalSettings;
  /** The worker's folder: caches, downloads, logs. Made if it is not there. */
  readonly directory: string;
  /** What the environment says if absent. */
  readonly version?: WorkerVersion;
  /** Stops the worker, as SIGTERM does: what runs saves first. */
  readonly signal?: AbortSignal;
  /** Given whole lines; standard error if absent. */
  readonly writeLog?: (line: string) => void;
  /** Called when the worker takes work. */
  readonly onReady?: () => void;
}

/** A worker on one task queue. */
export type WorkerDefinition = WorkerOptions & {
  readonly taskQueue: string;
  /** Its queue is its own: tasks must reach it whatever version its deployment is at. */
  readonly ofAnyVersion?: boolean;
};

/** Seconds in which activities end in order once the worker is told to stop; then they are cancelled, then abandoned. */
const graceSeconds = 45;
const forceSeconds = 60;

const shared = {
  shutdownGraceTime: graceSeconds * 1000,
  shutdownForceTime: forceSeconds * 1000,
  // A workflow whose worker was killed waits so long for it before another one replays it. The default is 10 s.
  stickyQueueScheduleToStartTimeout: '2 seconds',
  // How fresh `status` is, and how soon an activity learns of its cancellation.
  maxHeartbeatThrottleInterval: '2 seconds',
} as const satisfies Partial<WorkerOptions>;

/**
 * Runs the workers of one process until it is told to stop, and all of them have. Waits for Temporal where it is away.
 *
 * @param define is given the signal that says stop, which activities hand on to what they supervise.
 * @throws Error when a worker fails; the others have been stopped then.
 */
export async function runWorkers(
  name: 'data' | 'gpu',
  options: WorkerProcessOptions,
  define: (stopping: AbortSignal, logger: LineLogger) => Promise<readonly WorkerDefinition[]>,
): Promise<void> {
  const logger = new LineLogger(name, options.writeLog);
  installRuntime(logger);
  const { signal, release } = stopSignal(options.signal);
  try {
    const definitions = await define(signal, logger);
    const connection = await connectWorker(options.temporal, logger, signal);
    try {
      const { namespace } = options.temporal;
      const identity = `${name}@${hostname()}:${process.pid}`;
      const version = options.version ?? workerVersion();
      const workers = await Promise.all(
        definitions.map(({ ofAnyVersion = false, ...definition }) => {
          const workerDeploymentOptions = deploymentOptions(ofAnyVersion ? { ...version, deployment: null } : version);
          return Worker.create({ ...shared, connection, namespace, identity, workerDeploymentOptions, ...definition });
        }),
      );
      await runUntil(signal, workers, () => {
        const queues = definitions.map(({ taskQueue }) => taskQueue).join(', ');
        const of = version.deployment === null ? '' : ` of deployment ${version.deployment}`;
        logger.info(`ready on ${queues} of ${options.temporal.address}, build ${version.buildId}${of}`);
        options.onReady?.();
      });
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!signal.aborted || !isAbort(error, signal)) throw error;
  } finally {
    release();
    logger.info('stopped');
  }
}

/** Told to stop, or one of them failed: all stop, each in order. */
async function runUntil(signal: AbortSignal, workers: readonly Worker[], onReady: () => void): Promise<void> {
  const shutDown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const runs = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      shutDown();
      throw error;
    }),
  );
  onReady();
  if (signal.aborted) shutDown();
  else signal.addEventListener('abort', shutDown, { once: true });
  const results = await Promise.allSettled(runs);
  signal.removeEventListener('abort', shutDown);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
