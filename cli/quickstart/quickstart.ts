import { hash } from 'node:crypto';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { withLock } from '../../infra/setup/lock.mjs';
import { ConfigurationError } from '../../configs/configurationError.js';
import { loadConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { parse } from 'yaml';
import { miniatureSettings, type MiniatureSettings } from '../../miniature/settings.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { localTime, styled } from '../terminal/terminal.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { workspace, type Workspace } from '../machine/workspace.js';
import type { QuickstartJob } from './job.js';
import { completeRun } from './currentRun.js';
import { killDescendants } from './processTree.js';
import { serveUntilStopped, trainMiniature } from './train.js';
import { summary } from './summary.js';
import { print } from '../terminal/print.js';

export interface QuickstartOptions {
  readonly directory: string | undefined;
  readonly config: string;
  readonly set: readonly string[];
  /** Changes of the generated data, where the configuration names no folder of its own. */
  readonly miniature: Partial<MiniatureSettings>;
  readonly fresh: boolean;
  readonly keep: boolean;
}

/** Seconds that workers (which save) and then the services have to end, taken together. */
const endSeconds = 90;

/**
 * What `npm start` does: everything on this machine, until the miniature is trained and measured. Continues what was
 * interrupted; shows what is complete.
 *
 * @returns the exit code.
 */
export async function quickstart(options: QuickstartOptions): Promise<number> {
  const space = workspace(options.directory);
  const configuration = await loadConfiguration(options.config, options.set);
  const job = jobOf(configuration, space, options);
  makeFolderSync(space.directory);
  const busy = (): never => {
    throw new CommandError(`npm start runs already on ${space.directory}: tempeh-flow list shows its run.`);
  };
  const onStop = (): void => {
    print(`\n${styled('bold', 'Stopping: what trains saves first.')} (Ctrl-C once more ends at once.)`);
  };
  const work = (signal: AbortSignal): Promise<number> =>
    withLock(`${space.directory}/quickstart`, busy, async () => {
      const last = completeRun(job);
      if (last !== null) {
        print(
          `${styled('green', '✔')} ${last.run} is trained: ${localTime(new Date(last.finishedAt))}\n\n${summary(last, options.keep)}`,
        );
        if (options.keep) await serveUntilStopped(job, signal);
        return exitCodes.ok;
      }
      return trainMiniature(job, signal);
    });
  const stopped = 'Stopped. The next npm start goes on from here.';
  return untilStopped(work, stopped, { onStop, endSeconds, beforeExit: killDescendants, watchParent: true });
}

function jobOf(configuration: RunConfiguration, space: Workspace, options: QuickstartOptions): QuickstartJob {
  const { storage } = configuration;
  const refuse = (setting: string, found: string, expected: string): never => {
    throw new ConfigurationError([{ where: options.config, setting, found, expected: `${expected} for npm start` }]);
  };
  if (storage.kind !== 's3') return refuse('storage.kind', storage.kind, 'expected s3');
  const { miniature, fresh, keep } = options;
  const identity = JSON.stringify({ configuration, miniature });
  return {
    space,
    configuration,
    configurationSha256: hash('sha256', identity),
    bucket: storage.bucket,
    miniature,
    fresh,
    keep,
  };
}

/** Reads `--miniature`. @throws CommandError for what is no group of settings, or makes no data. */
export function parseMiniature(text: string): Partial<MiniatureSettings> {
  try {
    const changes: unknown = parse(text);
    if (typeof changes !== 'object' || changes === null || Array.isArray(changes))
      throw new Error('expected {name: value}');
    miniatureSettings('miniature', changes);
    return changes;
  } catch (error) {
    throw new CommandError(`--miniature ${text}: ${(error as Error).message.split('\n')[0]}`, exitCodes.usage);
  }
}
