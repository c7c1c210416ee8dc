import { statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { frameCacheOf } from '../../configs/frameCache.js';
import { checkDeviceMemory } from '../../configs/deviceMemory.js';
import { graceOf, graceVariable } from '../../configs/grace.js';
import { logLevel } from '../../workers/logLines.js';
import type { GpuWork } from '../../workers/gpuWorker.js';
import { workerVersion, type WorkerVersion } from '../../workers/temporal/workerVersion.js';
import type { MetricsAddress } from '../../workers/metrics/metricsServer.js';
import { chooseServer, orCommandError, useLocalObjectStore, type ConnectionOptions } from '../connection.js';
import { checkInstalledTensorFlow } from '../../infra/setup/tensorflow/checkInstalled.mjs';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

interface WorkerOptions extends ConnectionOptions {
  readonly directory: string;
  readonly deployment: string | undefined;
  readonly 'build-id': string | undefined;
  readonly grace: number | undefined;
  readonly metrics: string | undefined;
  readonly 'log-level': string | undefined;
  /** For a GPU worker only, as what follows. */
  readonly tasks?: number | undefined;
  readonly 'exit-when-idle'?: number | undefined;
  readonly gpus?: string | undefined;
  readonly cpu?: boolean;
  readonly cache?: string | undefined;
  readonly 'cache-bytes'?: string | undefined;
  readonly work?: GpuWork;
}

/** Runs a worker until it is told to stop. @returns the exit code. */
export async function worker(kind: 'data' | 'gpu', asked: WorkerOptions): Promise<number> {
  const directory = ownFolder(asked.directory);
  const version = askedVersion({ deployment: asked.deployment, buildId: asked['build-id'] });
  // Its trainers and predictors follow it.
  if (asked.grace !== undefined) process.env[graceVariable] = String(asked.grace);
  graceOf();
  if (asked['log-level'] !== undefined) process.env['TEMPEH_LOG_LEVEL'] = asked['log-level'];
  checkLogLevel();
  useLocalObjectStore();
  const readTemporal = async () => (await chooseServer(asked)).settings;
  const options = {
    temporal: await orCommandError(readTemporal()),
    readTemporal,
    directory,
    version,
    ...(asked.metrics === undefined ? {} : { metrics: await metricsAddress(asked.metrics) }),
  };
  if (kind === 'data') {
    const { runDataWorker } = await ofWorkers(import('../../workers/dataWorker.js'));
    await orCommandError(runDataWorker(options));
    return exitCodes.ok;
  }
  const limits = { tasks: asked.tasks, idleSeconds: asked['exit-when-idle'] };
  if (limits.tasks !== undefined && !(Number.isInteger(limits.tasks) && limits.tasks > 0)) {
    throw new CommandError(`--tasks ${limits.tasks}: expected a whole number, 1 or more.`, exitCodes.usage);
  }
  if (limits.idleSeconds !== undefined && !(limits.idleSeconds > 0)) {
    throw new CommandError(`--exit-when-idle ${limits.idleSeconds}: expected seconds above 0.`, exitCodes.usage);
  }
  checkDeviceMemory();
  const cache = frameCacheOf(options.directory, { cache: asked.cache, bytes: asked['cache-bytes'] });
  await checkInstalledTensorFlow();
  const { runGpuWorker } = await ofWorkers(import('../../workers/gpuWorker.js'));
  const { chooseDevices } = await import('../../workers/devices/gpus.js');
  const work = async (): Promise<void> => {
    const devices = await chooseDevices({ gpus: asked.gpus, cpu: asked.cpu ?? false });
    await runGpuWorker({ ...options, ...limits, cache, devices, ...(asked.work && { work: asked.work }) });
  };
  await orCommandError(orNoDevice(work()));
  return exitCodes.ok;
}

/** @throws CommandError for what can be no folder. A disk that is full or read-only is waited for, by the worker. */
function ownFolder(directory: string): string {
  const wrong = (why: string): CommandError =>
    new CommandError(
      `--directory ${directory}: ${why}; expected a folder, which is made if it is not there.`,
      exitCodes.usage,
    );
  if (directory.trim() === '') throw wrong('found nothing');
  const path = resolve(directory);
  for (let part = path; part !== dirname(part); part = dirname(part)) {
    const found = stated(part);
    if (found?.isDirectory()) break;
    if (found !== undefined) throw wrong(`${part} is a file`);
  }
  return path;
}

function stated(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Below a file, or not to be seen: what is above says more, and the worker the rest.
    return undefined;
  }
}

/** @throws CommandError where this is the command line alone (infra/client), without what workers are made of. */
async function ofWorkers<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const todo = 'Workers run from an image or a clone (docs/cluster.md)';
    throw new CommandError(`This is the command line alone: ${(error as Error).message}. ${todo}.`, exitCodes.usage);
  }
}

/** What a person is to do about devices needs no stack. */
async function orNoDevice(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoDevice') throw new CommandError(error.message, exitCodes.failed);
    throw error;
  }
}

/** @throws CommandError for a level in the environment that does not exist. */
function checkLogLevel(): void {
  try {
    logLevel();
  } catch (error) {
    throw new CommandError((error as Error).message, exitCodes.usage);
  }
}

/** @throws CommandError for names that Temporal would not take. */
function askedVersion(asked: Parameters<typeof workerVersion>[0]): WorkerVersion {
  try {
    return workerVersion(asked);
  } catch (error) {
    throw new CommandError((error as Error).message, exitCodes.usage);
  }
}

/** @throws CommandError for what is no address. */
async function metricsAddress(text: string): Promise<MetricsAddress> {
  const { parseMetricsAddress } = await import('../../workers/metrics/metricsServer.js');
  try {
    return parseMetricsAddress(text);
  } catch (error) {
    throw new CommandError(`--metrics ${(error as Error).message}.`, exitCodes.usage);
  }
}
