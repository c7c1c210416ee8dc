import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { runNamePattern, runNameRule } from '../../configs/runNames.js';
import { openStore } from '../../storage/openStore.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { configurationOfRun } from '../store/ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { print, tell } from '../terminal/print.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { syncEvents } from './syncEvents.js';

export interface WriteEventsOptions extends StoreOptions {
  readonly run: string;
  readonly folder: string;
}

/** Writes a run's event files into a folder, or brings them up to date. @returns the exit code. */
export async function writeEvents({ run, folder, ...where }: WriteEventsOptions): Promise<ExitCode> {
  if (!runNamePattern.test(run)) throw new CommandError(`${run}: expected ${runNameRule}.`, exitCodes.usage);
  const store = openStore((await configurationOfRun(run, where)).storage);
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  const files = await untilStopped((signal) => syncEvents(store, run, path, signal));
  if (files.length === 0) throw new CommandError(`${store.description} has no events of ${run} (yet).`);
  tell({ run, folder: path, files: files.length });
  print(`${path}: ${files.length} event files of ${run}.`);
  return exitCodes.ok;
}
