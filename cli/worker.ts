import { resolve } from 'node:path';
import { temporalSettings } from '../workers/temporalSettings.js';
import { useLocalObjectStore, type ConnectionOptions } from './connection.js';
import { exitCodes } from './exitCodes.js';
import { findLocalServices } from './services.js';

/** Runs a worker until it is told to stop. @returns the exit code. */
export async function worker(
  kind: 'data' | 'gpu',
  { directory, address, namespace }: ConnectionOptions & { readonly directory: string },
): Promise<number> {
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
  };
  if (kind === 'data') await (await import('../workers/dataWorker.js')).runDataWorker(options);
  else await (await import('../workers/gpuWorker.js')).runGpuWorker(options);
  return exitCodes.ok;
}
