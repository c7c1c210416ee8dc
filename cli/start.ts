import { loadConfiguration } from '../configs/load.js';
import { runNamePattern, runNameRule } from '../configs/runNames.js';
import type { RunStep } from '../configs/temporal.js';
import { startRun } from '../workers/runs.js';
import { branch, parseBranchPoint } from './branch.js';
import { withTemporal, type ConnectionOptions } from './connection.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { refusePlaceholders } from './placeholders.js';
import { followToEnd } from './status.js';

export interface StartOptions extends ConnectionOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly run: string | undefined;
  readonly follow: boolean;
  /** `RUN/STAGE[@STEP]` that a new run starts from. */
  readonly from: string | undefined;
}

/** Starts full training, or a step by itself. @returns the exit code. */
export async function start(what: RunStep | 'full-training', options: StartOptions): Promise<number> {
  const from = options.from === undefined ? null : parseBranchPoint(options.from);
  const configuration = await loadConfiguration(options.config, options.set);
  refusePlaceholders(configuration, options.config);
  if (what !== 'full-training' && what !== 'dataset' && options.run === undefined) {
    throw new CommandError(`Which run? ${what} goes on with what a run has: name it with --run.`, exitCodes.usage);
  }
  const run = options.run ?? runName(configuration.dataset.name, new Date());
  if (!runNamePattern.test(run)) {
    throw new CommandError(`--run ${run}: expected ${runNameRule}.`, exitCodes.usage);
  }
  return withTemporal(options, async (connected) => {
    if (from !== null) await branch(from, run, configuration);
    const steps = what === 'full-training' ? {} : { steps: [what] };
    const workflowId = await startRun(connected.client, { run, configuration, ...steps });
    const page = connected.pageOf(workflowId);
    process.stdout.write(`Started ${run}.\n${page === null ? '' : `  ${page}\n`}`);
    if (options.follow) return followToEnd(connected, run);
    process.stdout.write(`  tempeh-flow status ${run} --follow\n`);
    return exitCodes.ok;
  });
}

/** `famos-20260131-0930` */
export function runName(dataset: string, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${dataset}-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
