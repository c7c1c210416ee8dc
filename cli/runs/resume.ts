import { readTrainedStages } from '../../checkpoints/trainedStages.js';
import { configurationChanges, describeChanges, refuseEdits } from '../../configs/changes/changes.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainedStages } from '../../configs/changes/trainedStages.js';
import { openStore } from '../../storage/openStore.js';
import { keys } from '../../storage/keys.js';
import { findRunIfKnown } from '../../client/runs/findRun.js';
import { configurationOf, resumeRun, startRun } from '../../client/runs/runs.js';
import { useLocalObjectStore, withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { lacksBucket, withLocalStore } from '../store/placeholders.js';
import { storedConfiguration } from '../store/publishedCheckpoints.js';
import { followToEnd } from './watching/watch.js';
import { print, tell } from '../terminal/print.js';

export interface ResumeOptions extends ConnectionOptions {
  readonly run: string;
  readonly config: string | undefined;
  readonly set: readonly string[];
  readonly follow: boolean;
}

/** Goes on with a run, with an edited configuration if one is asked for. @returns the exit code. */
export async function resume(options: ResumeOptions): Promise<number> {
  const { run, config, set } = options;
  return withTemporal(options, async (connected) => {
    const edit = async (before: RunConfiguration): Promise<RunConfiguration> =>
      config === undefined
        ? resolveConfiguration(JSON.stringify(before), `the configuration of ${run}`, set)
        : loadConfiguration(config, set);
    const known = (await findRunIfKnown(connected.client, run)) !== null;
    if (!known) await resumeForgotten(connected, options, edit);
    else if (config === undefined && set.length === 0) await goOn(connected, run);
    else {
      const before = await configurationOf(connected.client, run);
      await resumeEdited(connected, run, before, await edit(before));
    }
    return options.follow ? followToEnd(connected, run) : exitCodes.ok;
  });
}

/**
 * Goes on with a run that Temporal has forgotten, once its retention is over: with the configuration that lies with it in
 * the object store. Full training, for what steps it was about is not known any more.
 *
 * @throws CommandError where the store does not know it either.
 */
async function resumeForgotten(
  connected: Connected,
  { run, config, set }: ResumeOptions,
  edit: (before: RunConfiguration) => Promise<RunConfiguration>,
): Promise<void> {
  const given = withLocalStore(await loadConfiguration(config ?? 'famos', set));
  if (lacksBucket(given)) {
    const todo = 'name its object store, by --config or --set storage.bucket=NAME';
    throw new CommandError(`Temporal knows no run ${run} (any more). If it has been there, ${todo}.`);
  }
  const store = openStore(given.storage);
  const before = await storedConfiguration(store, run);
  if (before === null) {
    const where = `${keys.runConfiguration(run)} is not in ${store.description}`;
    throw new CommandError(`Temporal knows no run ${run} (any more), and ${where}. tempeh-flow list shows the runs.`);
  }
  print(`Temporal has forgotten ${run}: its configuration was read from ${store.description}.`);
  // Local services may have another port by now.
  const isLocal = config === undefined && set.length === 0;
  const edited = await edit(before);
  const after = isLocal ? { ...edited, storage: given.storage } : edited;
  await refuseEarly(run, before, after);
  const changes = describeChanges(configurationChanges(before, after));
  if (changes.length > 0) print(['Changed settings:', ...changes.map((line) => `  ${line}`)].join('\n'));
  const { client, pageOf } = connected;
  const page = pageOf(await startRun(client, { run, configuration: after }));
  tell({ run, page });
  print([`${run} goes on: all its steps.`, ...(page === null ? [] : [`  ${page}`])].join('\n'));
}

/**
 * Goes on with a run that has ended, with another configuration; says what differs.
 *
 * @throws ConfigurationError when a run that has trained cannot change a setting.
 */
export async function resumeEdited(
  connected: Connected,
  run: string,
  before: RunConfiguration,
  after: RunConfiguration,
): Promise<void> {
  await refuseEarly(run, before, after);
  const lines = describeChanges(configurationChanges(before, after)).map((line) => `  ${line}\n`);
  print(lines.length > 0 ? `Changed settings:\n${lines.join('').trimEnd()}` : 'No setting differs.');
  await goOn(connected, run, after);
}

async function goOn({ client, pageOf }: Connected, run: string, configuration?: RunConfiguration): Promise<void> {
  const page = pageOf(await resumeRun(client, run, configuration));
  tell({ run, page });
  print(`${run} goes on.${page === null ? '' : `\n  ${page}`}`);
}

/** Where the store cannot be asked from here, a data worker refuses the run when it has been started. */
async function refuseEarly(run: string, before: RunConfiguration, after: RunConfiguration): Promise<void> {
  useLocalObjectStore();
  const asked = async (): Promise<TrainedStages> => readTrainedStages(openStore(before.storage), run);
  const late = new Promise<null>((resolve) => setTimeout(resolve, patience, null).unref());
  const trained = await Promise.race([asked().catch(() => null), late]);
  if (trained !== null) refuseEdits(run, before, after, trained);
}

/** Milliseconds. */
const patience = 5000;
