import { Client } from '@temporalio/client';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { WorkerLimits } from '../../activities/workerLimits.js';
import { explainRefusal } from '../../client/connection/connectionProblem.js';
import type { TemporalSettings } from '../../client/connection/connectionSettings.js';
import { dataConverter, type TempehDataConverter } from '../../client/payloads/dataConverter.js';
import { isTraced } from '../../client/tracing.js';
import { graceOf } from '../../configs/grace.js';
import { taskQueues } from '../../configs/queues.js';
import { orAborted } from '../../storage/async/orAborted.js';
import { proveWorker } from '../fitness/proveWorker.js';
import { stopOnFaults } from '../lifecycle/faults.js';
import { listenForStop } from '../lifecycle/stopRequest.js';
import { within } from '../lifecycle/within.js';
import { LineLogger } from '../log.js';
import { openMetrics, type MetricsAddress } from '../metrics/openMetrics.js';
import { renewConnection } from './connectionRenewal.js';
import { openTracing, type Tracing } from './tracing.js';
import { connectWorker } from './workerConnection.js';
import { WorkerGroup } from './workerGroup.js';
import { deploymentOptions, workerVersion, type WorkerVersion } from './workerVersion.js';
import { workerName } from '../../activities/workerName.js';

/** What both kinds of worker are given. */
export interface WorkerProcessOptions {
  readonly temporal: TemporalSettings;
  /** The same, as variables and files say now: what was renewed is taken without a restart. Not looked at if absent. */
  readonly readTemporal?: () => Promise<TemporalSettings>;
  /** The worker's folder: caches, downloads, logs. Made if it is not there. */
  readonly directory: string;
  /**
   * Says what inputs may name (activities/workerLimits.ts), holds a data worker's TEMPEH_USERNAME… and the payload keys;
   * this process's own if absent.
   */
  readonly environment?: NodeJS.ProcessEnv;
  /** What the environment says if absent. */
  readonly version?: WorkerVersion;
  /** Stops the worker, as SIGTERM does: what runs saves first. */
  readonly signal?: AbortSignal;
  /** Where it serves its metrics and its health; nowhere if absent. */
  readonly metrics?: MetricsAddress;
  /** Given the address where it serves them: of port 0, which one was taken. */
  readonly onMetrics?: (address: MetricsAddress) => void;
  /** Given whole lines; standard error if absent. */
  readonly writeLog?: (line: string) => void;
  /** Called when the worker takes work. */
  readonly onReady?: () => void;
}

/** What the activities of a worker are made with. */
export interface WorkerContext {
  /** Says stop, and is handed on to what they supervise. */
  readonly stopping: AbortSignal;
  readonly logger: LineLogger;
  readonly converter: TempehDataConverter;
  /** On the connection of the workers: to be called once they work. */
  readonly client: () => Client;
  /** What `/readyz` says: why it takes no tasks; null: it takes them. */
  readonly tellObstacle: (reason: string | null) => void;
}

/** A worker on one task queue. */
export type WorkerDefinition = WorkerOptions & {
  readonly taskQueue: string;
  /** Its queue is its own: tasks must reach it whatever version its deployment is at. */
  readonly ofAnyVersion?: boolean;
};

/**
 * Seconds in which activities end in order once the worker is told to stop; then they are cancelled, then abandoned. For
 * workers that were given no grace.
 */
const unaskedGrace = { killSeconds: 45, forceSeconds: 60, endSeconds: 62 };
/** Seconds to close the connection, and for what hangs. */
const overtimeSeconds = 2;

const shared = {
  // A workflow whose worker was killed waits so long for it before another one replays it. The default is 10 s.
  stickyQueueScheduleToStartTimeout: '2 seconds',
  // How fresh `status` is, and how soon an activity learns of its cancellation.
  maxHeartbeatThrottleInterval: '2 seconds',
} as const satisfies Partial<WorkerOptions>;

/**
 * Runs the workers of one process until it is told to stop, and all of them have. Waits for Temporal where it is away.
 *
 * @throws WorkerFailed when a worker cannot go on; the others and all activities have been stopped then, or given up.
 */
export async function runWorkers(
  name: 'data' | 'gpu',
  options: WorkerProcessOptions,
  define: (context: WorkerContext) => Promise<readonly WorkerDefinition[]>,
): Promise<void> {
  const logger = new LineLogger(name, options.writeLog);
  const metrics = await openMetrics(options.metrics, logger);
  if (metrics !== null) options.onMetrics?.(metrics.address);
  const { killSeconds, forceSeconds, endSeconds } = graceOf() ?? unaskedGrace;
  const shutdown = { shutdownGraceTime: killSeconds * 1000, shutdownForceTime: forceSeconds * 1000 };
  const request = listenForStop({ caller: options.signal, endSeconds: endSeconds + overtimeSeconds });
  const stopping = new AbortController();
  const stop = (why: string): void => {
    if (!stopping.signal.aborted) logger.info(`stopping: ${why}`);
    stopping.abort(why);
  };
  const { signal } = stopping;
  const onRequest = (): void => {
    const own: unknown = options.signal?.reason;
    const told = `the worker was ${String((request.signal.reason as Error).message)}`;
    stop(own instanceof Error && own.name === 'WorkerOver' ? own.message : told);
  };
  if (request.signal.aborted) onRequest();
  else request.signal.addEventListener('abort', onRequest, { once: true });
  const faults = stopOnFaults(logger, stop);
  let connection: NativeConnection | undefined;
  let tracing: Tracing | undefined;
  let renewal: ReturnType<typeof renewConnection> | undefined;
  try {
    const converter = dataConverter(options.environment);
    const { namespace } = options.temporal;
    const client = (): Client => new Client({ connection: connection!, namespace, dataConverter: converter });
    const tellObstacle = (reason: string | null): void => {
      if (!signal.aborted) metrics?.tell(reason === null ? 'ready' : 'unfit');
    };
    const { environment = process.env } = options;
    if (isTraced(environment)) tracing = await openTracing(name, logger);
    const definitions = await orAborted(define({ stopping: signal, logger, converter, client, tellObstacle }), signal);
    if (definitions === null) return;
    connection = (await orAborted(connectWorker(options.temporal, logger, signal), signal)) ?? undefined;
    if (connection === undefined) return;
    const { directory } = options;
    const limits = WorkerLimits.of(directory, environment);
    const dataQueue = taskQueues(environment).data;
    await proveWorker({ client: client(), dataQueue, directory, limits, logger, signal, onObstacle: tellObstacle });
    if (signal.aborted) return;
    const version = options.version ?? workerVersion();
    const all = definitions.map((definition) => ({
      ...shutdown,
      dataConverter: converter,
      ...traced(definition, tracing),
    }));
    const workers = await orAborted(createWorkers(name, connection, options, version, all), signal);
    if (workers === null) return;
    const { temporal: settings, readTemporal: read } = options;
    if (read !== undefined) {
      const use = (renewed: NativeConnection): void => {
        connection = renewed;
        workers.useConnection(renewed);
      };
      renewal = renewConnection({ settings, read, connection, use, logger });
    }
    const running = workers.run(signal, stop, endSeconds);
    logger.info(readyLine(definitions, options, version));
    metrics?.tell('ready');
    signal.addEventListener('abort', () => metrics?.tell('stopping'), { once: true });
    options.onReady?.();
    await running;
    faults.throwIfAny();
  } catch (error) {
    if (request.signal.aborted && isAbort(error, signal)) return;
    logger.error(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    faults.release();
    request.release();
    // A worker that has failed holds it for ever.
    connection = renewal?.end() ?? connection;
    await within(connection?.close().catch(() => undefined) ?? Promise.resolve(), overtimeSeconds, undefined);
    await tracing?.close();
    await within(metrics?.close() ?? Promise.resolve(), overtimeSeconds, undefined);
    logger.info('stopped');
  }
}

function traced(definition: WorkerDefinition, tracing: Tracing | undefined): WorkerDefinition {
  if (tracing === undefined) return definition;
  const { interceptors } = definition;
  const activity = [tracing.activity, ...(interceptors?.activity ?? [])];
  return { ...definition, interceptors: { ...interceptors, activity } };
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

function createWorkers(
  name: 'data' | 'gpu',
  connection: NativeConnection,
  options: WorkerProcessOptions,
  version: WorkerVersion,
  definitions: readonly WorkerDefinition[],
): Promise<WorkerGroup> {
  const { namespace } = options.temporal;
  const identity = workerIdentity(name);
  const all = definitions.map(({ ofAnyVersion = false, ...definition }) => {
    const workerDeploymentOptions = deploymentOptions(ofAnyVersion ? { ...version, deployment: null } : version);
    return { ...shared, namespace, identity, workerDeploymentOptions, ...definition };
  });
  return WorkerGroup.create(connection, all).catch((error: unknown) => {
    throw explainRefusal(options.temporal, error) ?? error;
  });
}

/** What Temporal knows a worker of this process by. */
export const workerIdentity = (name: 'data' | 'gpu'): string => `${name}@${workerName()}`;

function readyLine(
  definitions: readonly WorkerDefinition[],
  { temporal }: WorkerProcessOptions,
  { buildId, deployment }: WorkerVersion,
): string {
  const queues = definitions.map(({ taskQueue }) => taskQueue).join(', ');
  const of = deployment === null ? '' : ` of deployment ${deployment}`;
  return `ready on ${queues} of ${temporal.address}, build ${buildId}${of}`;
}
