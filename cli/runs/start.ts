import type { Client } from '@temporalio/client';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { mostSeeds, seedMembers, seedRun } from '../../configs/series/members.js';
import type { RunStep } from '../../configs/temporal.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { RunError } from '../../client/connection/client.js';
import { refuseRunning } from '../../client/startWorkflow.js';
import { configurationOf, startRun } from '../../client/runs/runs.js';
import { startSeries } from '../../client/runs/series.js';
import { branch, parseBranchPoint, refuseUnfitBranch } from './branch.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { refusePlaceholders } from '../store/placeholders.js';
import { started } from './watching/started.js';
import { startingAlone } from './startingAlone.js';
import { showPlan, type PlanOptions } from '../plan/plan.js';
import { print, tell } from '../terminal/print.js';
import { findRunFiles, storeRunFiles, type RunFile } from './runFiles.js';

export interface StartOptions extends ConnectionOptions {
  /** If absent, of a branch or a step of a run that is there, what that run has; else famos. */
  readonly config: string | undefined;
  readonly set: readonly string[];
  readonly run: string | undefined;
  readonly follow: boolean;
  /** A configuration's text instead of a file, which nobody sees the lines of, and what errors call it. */
  readonly text?: { readonly content: string; readonly name: string };
  /** `RUN/STAGE[@STEP]` that a new run starts from. */
  readonly from: string | undefined;
  /** So many runs that differ by their seed alone; one if absent. */
  readonly seeds?: number | undefined;
  /** Say what it would take, and start nothing. */
  readonly plan?: Pick<PlanOptions, 'stepSeconds' | 'gpuPrice' | 'storagePrice'> | null;
}

/** Starts full training, or a step by itself. @returns the exit code. */
export async function start(what: RunStep | 'full-training', options: StartOptions): Promise<number> {
  const from = options.from === undefined ? null : parseBranchPoint(options.from);
  if (what !== 'full-training' && what !== 'dataset' && options.run === undefined) {
    throw new CommandError(`Which run? ${what} goes on with what a run has: name it with --run.`, exitCodes.usage);
  }
  if (options.run !== undefined) requireRunName(options.run, '--run');
  requireSeeds(what, options.seeds);
  // Of a step that goes on with a run, that run's configuration is asked for, and of a branch, that of the run which it starts
  // from.
  const parent = from?.run ?? (what === 'full-training' ? undefined : options.run);
  const isNamed = options.config !== undefined || options.text !== undefined;
  // A file's mistakes are reported before anything is asked for.
  const own = parent === undefined || isNamed ? await ownConfiguration(options) : null;
  if (options.plan) {
    const configuration =
      own ?? (await withTemporal(options, ({ client }) => inherited(client, parent!, options, from === null)));
    await showPlan(configuration, { ...options, ...options.plan, what });
    if (options.seeds !== undefined)
      print(`That is one of ${options.seeds} runs; the data are fetched and packed once.`);
    return exitCodes.ok;
  }
  const filesOf = (configuration: RunConfiguration): Promise<RunFile[]> => {
    if (what === 'evaluation' && configuration.dataset.layout.test === null) {
      throw new CommandError('There is no test set to evaluate on: dataset.layout.test is null.', exitCodes.usage);
    }
    return findRunFiles(configuration, {
      what,
      run: options.run === undefined ? null : firstOf(options.run, configuration, options.seeds),
      isBranch: from !== null,
      onNote: (note) => process.stderr.write(`note: ${note}\n`),
    });
  };
  const ownFiles = own === null ? null : await filesOf(own);
  const ownName = own === null ? null : (options.run ?? runName(own.dataset.name, new Date()));
  if (from !== null && own !== null && ownName !== null) {
    await refuseUnfitBranch(from, firstOf(ownName, own, options.seeds), own);
  }
  return withTemporal(options, async (connected) => {
    const configuration = own ?? (await inherited(connected.client, parent!, options, from === null));
    const files = ownFiles ?? (await filesOf(configuration));
    const run = ownName ?? options.run ?? runName(configuration.dataset.name, new Date());
    const members = options.seeds === undefined ? null : seedMembers(run, configuration, options.seeds);
    const begun = members ?? [{ run, configuration }];
    const begin = async (): Promise<string> => {
      // What a run that trains was started with is not written over.
      await refuseRunning(
        connected.client,
        what === 'full-training' ? run : `${run}/${what}`,
        ...(members ?? []).map((member) => member.run),
      );
      for (const member of begun) {
        if (from !== null) await branch(from, member.run, member.configuration);
        await storeRunFiles(files, member.run, member.configuration);
      }
      if (members !== null) return startSeries(connected.client, { run, kind: 'seeds', members });
      const steps = what === 'full-training' ? {} : { steps: [what] };
      return startRun(connected.client, { run, configuration, ...steps });
    };
    const names = begun.map((member) => member.run);
    const writes = from !== null || files.length > 0;
    const workflowId = await startingAlone(configuration, writes ? names : [], begin);
    if (members !== null) print(`Runs: ${names.join(', ')}`);
    tell({ workflowId });
    return started(connected, run, { workflowId, follow: options.follow });
  });
}

/** @throws CommandError */
function requireSeeds(what: RunStep | 'full-training', seeds: number | undefined): void {
  if (seeds !== undefined && what !== 'full-training') {
    throw new CommandError(
      `--seeds ${seeds}: ${what} is a step of one run; start full-training repeats whole runs.`,
      exitCodes.usage,
    );
  }
  if (seeds === undefined || (Number.isSafeInteger(seeds) && seeds >= 2 && seeds <= mostSeeds)) return;
  throw new CommandError(`--seeds ${seeds}: expected a whole number from 2 to ${mostSeeds}.`, exitCodes.usage);
}

/** The run that makes the data set. */
function firstOf(run: string, { seed }: RunConfiguration, seeds: number | undefined): string {
  return seeds === undefined ? run : seedRun(run, seed);
}

async function ownConfiguration({ config = 'famos', set, text, plan }: StartOptions): Promise<RunConfiguration> {
  const configuration = text
    ? resolveConfiguration(text.content, text.name, set, undefined, false)
    : await loadConfiguration(config, set);
  if (!plan) refusePlaceholders(configuration, text?.name ?? config);
  return configuration;
}

/** What the run has that a branch or a step starts from, with its own overrides on top. */
async function inherited(
  client: Client,
  run: string,
  options: StartOptions,
  mayBeNew: boolean,
): Promise<RunConfiguration> {
  try {
    const configuration = JSON.stringify(await configurationOf(client, run));
    return resolveConfiguration(configuration, `the configuration of ${run}`, options.set);
  } catch (cause) {
    if (!(cause instanceof RunError) || cause.reason !== 'not-found') throw cause;
    // A name that was mistyped is better told by that than by what famos.yaml lacks.
    if (mayBeNew && (options.config !== undefined || options.set.length > 0)) return ownConfiguration(options);
    const message = `Temporal knows no run ${run}, so its configuration is not known: name one with --config.`;
    throw new CommandError(message, exitCodes.usage, { cause });
  }
}

/** `famos-20260131-0930` */
export function runName(dataset: string, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${dataset}-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
