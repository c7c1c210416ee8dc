import { resolve } from 'node:path';
import { workerVersion, type WorkerVersion } from '../../workers/workerVersion.js';
import { temporalSettings } from '../../client/connectionSettings.js';
import { useLocalObjectStore, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { findLocalServices } from './services.js';

interface WorkerOptions extends ConnectionOptions {
  readonly directory: string;
  readonly deployment: string | undefined;
  readonly 'build-id': string | undefined;
}

/** Runs a worker until it is told to stop. @returns the exit code. */
export async function worker(kind: 'data' | 'gpu', asked: WorkerOptions): Promise<number> {
  const { directory, address, namespace } = asked;
  const version = askedVersion({ deployment: asked.deployment, buildId: asked['build-id'] });
  const local = address === undefined && !process.env['TEMPORAL_ADDRESS'] ? findLocalServices() : null;
  useLocalObjectStore();
  const settings = temporalSettings();
  const options = {
    temporal: {
      ...settings,
      address: address ?? local?.temporal.address ?? settings.address,
      namespace: namespace ?? local?.temporal.namespace ?? settings.namespace,
    },
    directory: resolve(directory),
    version,
  };
  if (kind === 'data') await (await import('../../workers/dataWorker.js')).runDataWorker(options);
  else await (await import('../../workers/gpuWorker.js')).runGpuWorker(options);
  return exitCodes.ok;
}

/** @throws CommandError for names that Temporal would not take. */
function askedVersion(asked: Parameters<typeof workerVersion>[0]): WorkerVersion {
  try {
    return workerVersion(asked);
  } catch (error) {
    throw new CommandError((error as Error).message, exitCodes.usage);
  }
}
