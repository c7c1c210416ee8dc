import { readTrainedStages } from '../../checkpoints/trainedStages.js';
import { configurationChanges, describeChanges, refuseEdits } from '../../configs/changes/changes.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainedStages } from '../../configs/changes/trainedStages.js';
import { openStore } from '../../storage/openStore.js';
import { configurationOf, resumeRun } from '../../client/runs/runs.js';
import { useLocalObjectStore, withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { exitCodes } from '../exitCodes.js';
import { followToEnd } from './watching/watch.js';
import { print } from '../terminal/print.js';

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
    if (config === undefined && set.length === 0) await goOn(connected, run);
    else {
      const before = await configurationOf(connected.client, run);
      const after =
        config === undefined
          ? resolveConfiguration(JSON.stringify(before), `the configuration of ${run}`, set)
          : await loadConfiguration(config, set);
      await resumeEdited(connected, run, before, after);
    }
    return options.follow ? followToEnd(connected, run) : exitCodes.ok;
  });
}

/**
 * Goes on with a run that has ended, with another configuration; tells what differs.
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
