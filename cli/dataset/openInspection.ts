import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { listHint } from '../../datasets/discover/layoutHints.js';
import { inspectDirectory } from '../../datasets/inspect/inspectDirectory.js';
import { inspectStore } from '../../datasets/inspect/inspectStore.js';
import type { InspectOptions, Inspection, Volume } from '../../datasets/inspect/types.js';
import { viewChoiceOf } from '../../datasets/views.js';
import { DiskCache } from '../../datasets/cache/diskCache.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { ObjectNotFound } from '../../storage/types.js';
import type { DatasetArguments } from './arguments.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { configurationOfRun } from '../store/ofRun.js';
import { loadWithStore } from '../store/placeholders.js';
import { harmless } from '../terminal/harmless.js';
import { checkProgress } from './checkProgress.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** Bytes of objects that are kept beside while a packed data set is looked at: calibrations are read once. */
const cacheBytes = 1e9;

/**
 * Opens the data set that a command names, for as long as the work takes. A signal ends it.
 *
 * @throws CommandError, and what is wrong with configuration or data set
 */
export async function withInspection<T>(
  arguments_: DatasetArguments,
  work: (inspection: Inspection, options: InspectOptions) => Promise<T>,
): Promise<T> {
  return untilStopped((signal) => inspect(arguments_, work, signal));
}

async function inspect<T>(
  arguments_: DatasetArguments,
  work: (inspection: Inspection, options: InspectOptions) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const progress = checkProgress(process.stderr);
  const cacheFolder = await mkdtemp(join(tmpdir(), 'tempeh-check-'));
  return withCleanUp(
    async () => {
      const configuration = await configurationOf(arguments_);
      const options: InspectOptions = {
        dataset: configuration.dataset,
        ...viewChoiceOf(configuration),
        volume: volumeOf(configuration),
        onProgress: harmless(progress.show),
        signal,
      };
      const { directory } = arguments_;
      const inspection =
        directory === undefined
          ? await inspectStore(openStore(configuration.storage), new DiskCache(cacheFolder, cacheBytes), options)
          : await inspectDirectory(resolve(directory), options).catch((cause: unknown) =>
              explainMissing(cause, resolve(directory)),
            );
      return await work(inspection, options);
    },
    () => progress.clear(),
    () => rm(cacheFolder, { recursive: true, force: true }),
  );
}

/** The grid of the coarse model. */
export function volumeOf({ model }: RunConfiguration): Volume {
  const { gridOrigin, gridSide, gridSpacing } = model.coarse;
  return { centre: gridOrigin, side: gridSide * gridSpacing };
}

async function configurationOf(arguments_: DatasetArguments): Promise<RunConfiguration> {
  const { config = 'famos', set, run, directory } = arguments_;
  if (directory !== undefined) return loadConfiguration(config, set);
  if (run === undefined) return loadWithStore(config, set);
  const configuration = await configurationOfRun(run, arguments_);
  const store = openStore(configuration.storage);
  try {
    const { body } = await store.get(keys.runConfiguration(run));
    return resolveConfiguration(Buffer.from(body).toString('utf8'), keys.runConfiguration(run));
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    throw new CommandError(`There is no run ${run} in ${store.description}.`, exitCodes.usage);
  }
}

async function explainMissing(cause: unknown, directory: string): Promise<never> {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && 'path' in cause)) throw cause;
  const isList = String(cause.path).endsWith('.json');
  throw new CommandError(
    `There is no ${String(cause.path)}: put it there, or say where it is (dataset.layout; docs/own-data.md).${isList ? ` ${await listHint(directory)}` : ''}`,
    exitCodes.failed,
  );
}
