import { resolve } from 'node:path';
import { openStore } from '../../storage/openStore.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { configurationOfRun } from '../store/ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { print, tell } from '../terminal/print.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { fetchEvents } from './syncEvents.js';

export interface WriteEventsOptions extends StoreOptions {
  readonly run: string;
  readonly folder: string;
}

/** Writes a run's event files into a folder, or brings them up to date. @returns the exit code. */
export async function writeEvents({ run, folder, ...where }: WriteEventsOptions): Promise<ExitCode> {
  requireRunName(run);
  const store = openStore((await configurationOfRun(run, where)).storage);
  const path = resolve(folder);
  const files = await untilStopped((signal) => fetchEvents(store, run, path, signal));
  tell({ run, folder: path, files: files.length });
  print(`${path}: ${files.length} event files of ${run}.`);
  return exitCodes.ok;
}
