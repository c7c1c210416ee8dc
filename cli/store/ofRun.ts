import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { s3At } from '../../storage/s3/s3Client.js';
import { useLocalObjectStore, withTemporal } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import type { StoreOptions } from '../storeOptions.js';
import { lacksBucket, loadWithStore, withLocalStore } from './placeholders.js';

/**
 * The configuration of a command that looks into the store of a run: that of `--config`; else the run's own, which Temporal
 * knows, with `--set` on top. A command line that names the store by `--set` asks nobody.
 *
 * @throws CommandError where Temporal does not know the run, or does not answer, and nothing here says where its store is.
 */
export async function configurationOfRun(run: string, options: StoreOptions): Promise<RunConfiguration> {
  const { config, set } = options;
  if (config !== undefined || namesStore(set)) return loadWithStore(config ?? 'famos', set);
  try {
    return await askTemporal(run, options);
  } catch (cause) {
    // What Temporal has forgotten, or never knew, may lie in the store all the same.
    if (!isUnknown(cause)) throw cause;
    const local = withLocalStore(await loadConfiguration('famos', set));
    if (!lacksBucket(local)) return local;
    const todo = 'Name its store: --set storage.bucket=NAME, or --config FILE';
    throw new CommandError(`Where ${run} is stored is not known. ${cause.message} ${todo}.`, cause.exitCode, { cause });
  }
}

/** As {@link configurationOfRun}; null where only Temporal could say it, and does not. */
export async function knownConfiguration(run: string, options: StoreOptions): Promise<RunConfiguration | null> {
  if (namesStore(options.set)) return null;
  try {
    return await askTemporal(run, options);
  } catch (cause) {
    if (isUnknown(cause)) return null;
    throw cause;
  }
}

async function askTemporal(run: string, options: StoreOptions): Promise<RunConfiguration> {
  const { configurationOf } = await import('../../client/runs/runs.js');
  const own = await withTemporal(options, ({ client }) => configurationOf(client, run));
  return atLocalStore(resolveConfiguration(JSON.stringify(own), `the configuration of ${run}`, options.set));
}

const namesStore = (set: readonly string[]): boolean => set.some((override) => /^storage\b/.test(override));

/** A wrong setting of the connection, by contrast, is an error. */
const isUnknown = (cause: unknown): cause is CommandError =>
  cause instanceof CommandError && cause.exitCode !== exitCodes.usage;

/** Services that run here may have another port by now than when the run was started. */
function atLocalStore(configuration: RunConfiguration): RunConfiguration {
  const { storage } = configuration;
  const local = useLocalObjectStore();
  const isThere = local !== null && storage.kind === 's3' && storage.bucket === local.bucket;
  return isThere ? { ...configuration, storage: s3At(local) } : configuration;
}
