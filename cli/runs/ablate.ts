import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { ablationMembers, ablations, type Ablation } from '../../configs/series/ablations.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { configurationOf } from '../../client/runs/runs.js';
import { refuseRunning } from '../../client/startWorkflow.js';
import { startSeries } from '../../client/runs/series.js';
import { withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { refusePlaceholders } from '../store/placeholders.js';
import { print, tell } from '../terminal/print.js';
import { findRunFiles, storeRunFiles } from './runFiles.js';
import { runName } from './start.js';
import { startingAlone } from './startingAlone.js';
import { started } from './watching/started.js';

export interface AblateOptions extends ConnectionOptions {
  /** Joined by commas. */
  readonly what: string;
  readonly views: string;
  readonly config: string | undefined;
  readonly set: readonly string[];
  /** A run that is there, in place of a new one. */
  readonly base: string | undefined;
  readonly run: string | undefined;
  readonly follow: boolean;
}

/** Starts the runs that lack one part each, and the one that lacks none. @returns the exit code. */
export async function ablate(options: AblateOptions): Promise<number> {
  const what = whatOf(options.what);
  const views = what.includes('views') ? viewsOf(options.views) : [];
  if (options.run !== undefined) requireRunName(options.run, '--run');
  if (options.base !== undefined) {
    requireRunName(options.base, '--base');
    if (options.config !== undefined) {
      const message = '--base and --config: the runs have the configuration of --base; leave --config out.';
      throw new CommandError(message, exitCodes.usage);
    }
  }
  const own = options.base === undefined ? await ownConfiguration(options) : null;
  if (own !== null) refuseUntested(own);
  return withTemporal(options, async (connected) => {
    const configuration = own ?? (await configurationOfBase(connected, options.base!, options.set));
    const run = options.run ?? runName(configuration.dataset.name, new Date());
    const base = options.base ?? `${run}-whole`;
    const members = ablationMembers({ run, base, configuration, what, views });
    const onNote = (note: string): void => void process.stderr.write(`note: ${note}\n`);
    // The others go on from what these have.
    const first = await Promise.all(
      members
        .filter(({ from }) => from === undefined)
        .map(async (member) => {
          const search = { what: 'full-training', run: member.run, isBranch: false, onNote } as const;
          return { member, files: await findRunFiles(member.configuration, search) };
        }),
    );
    const names = first.filter(({ files }) => files.length > 0).map(({ member }) => member.run);
    const workflowId = await startingAlone(configuration, names, async () => {
      await refuseRunning(connected.client, run, ...members.map((member) => member.run));
      for (const { member, files } of first) await storeRunFiles(files, member.run, member.configuration);
      return startSeries(connected.client, { run, kind: 'ablation', members });
    });
    tell({ workflowId });
    print(`Runs: ${members.map((member) => `${member.run} (${member.label})`).join(', ')}`);
    return started(connected, run, { workflowId, follow: options.follow });
  });
}

function whatOf(text: string): Ablation[] {
  const named = text.split(',').map((part) => part.trim());
  return named.map((name) => {
    const found = ablations.find((known) => known === name);
    if (found !== undefined) return found;
    throw new CommandError(`--what ${text}: ${name} is none of ${ablations.join(', ')}.`, exitCodes.usage);
  });
}

function viewsOf(text: string): number[] {
  const counts = text.split(',').map((part) => Number(part.trim()));
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 2)) return [...new Set(counts)];
  const why = 'the networks fuse views by their variance, which needs two';
  throw new CommandError(
    `--views ${text}: expected whole numbers, 2 or more (${why}), joined by commas.`,
    exitCodes.usage,
  );
}

async function ownConfiguration({ config = 'famos', set }: AblateOptions): Promise<RunConfiguration> {
  const configuration = await loadConfiguration(config, set);
  refusePlaceholders(configuration, config);
  return configuration;
}

/** @throws CommandError while it runs by itself: the series starts it again, which costs nothing once it is done. */
async function configurationOfBase(
  { client }: Connected,
  base: string,
  set: readonly string[],
): Promise<RunConfiguration> {
  const configuration = await configurationOf(client, base);
  const { status, members } = await describeRun(client, base);
  if (members !== undefined) {
    throw new CommandError(`--base ${base}: it is a series; name one of its runs.`, exitCodes.usage);
  }
  if (status === 'RUNNING') {
    const todo = `wait for its end (tempeh-flow status ${base} --follow), or cancel it: the series goes on with it`;
    throw new CommandError(`--base ${base}: it is running; ${todo}.`, exitCodes.usage);
  }
  const edited = resolveConfiguration(JSON.stringify(configuration), `the configuration of ${base}`, set);
  refuseUntested(edited);
  return edited;
}

function refuseUntested({ dataset }: RunConfiguration): void {
  if (dataset.layout.test !== null) return;
  throw new CommandError('There is no test set to compare on: dataset.layout.test is null.', exitCodes.usage);
}
