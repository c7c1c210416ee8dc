import { resolveConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { scheduleFactor } from '../../training/optimisation/schedules.js';
import { findRun } from '../../client/runs/findRun.js';
import { configurationOf, extendRun } from '../../client/runs/runs.js';
import { withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { resumeEdited } from './resume.js';
import { followToEnd } from './watching/watch.js';
import { print, tell } from '../terminal/print.js';

interface Extension extends ConnectionOptions {
  readonly run: string;
  readonly stage: TrainingStage;
  readonly iterations: number;
  readonly stretch: boolean;
  readonly follow: boolean;
}

/** Lets a stage train further, of a run that is running or has ended. @returns the exit code. */
export async function extend(options: Extension): Promise<number> {
  const { run, stage, iterations, stretch, follow } = options;
  return withTemporal(options, async (connected) => {
    const before = await configurationOf(connected.client, run);
    const setting = `training.${stage}.iterations=${iterations}`;
    const after = resolveConfiguration(JSON.stringify(before), `the configuration of ${run}`, [setting]);
    refuseShorter(run, stage, before, after);
    if (!stretch) refuseStretching(stage, before, after);
    await extendOrResume(connected, options, before, after);
    return follow ? followToEnd(connected, run) : exitCodes.ok;
  });
}

async function extendOrResume(
  connected: Connected,
  { run, stage, iterations }: Extension,
  before: RunConfiguration,
  after: RunConfiguration,
): Promise<void> {
  const { client } = connected;
  const { description } = await findRun(client, run);
  if (description.status.name !== 'RUNNING') return resumeEdited(connected, run, before, after);
  await extendRun(client, run, { stage, iterations });
  tell({ run, stage, iterations });
  print(`${stage} of ${run} trains to step ${iterations}. If it trains now, it saves and goes on.`);
}

function refuseShorter(run: string, stage: TrainingStage, before: RunConfiguration, after: RunConfiguration): void {
  const [was, is] = [before.training[stage].iterations, after.training[stage].iterations];
  if (is > was) return;
  const todo = `To end it earlier: tempeh-flow cancel ${run}, then resume it with --set training.${stage}.iterations=${is}`;
  throw new CommandError(
    `${stage} of ${run} is to train to step ${was}; ${is} is not an extension. ${todo}.`,
    exitCodes.usage,
  );
}

/** A rate that follows from the share of all iterations jumps where these change. */
function refuseStretching(stage: TrainingStage, before: RunConfiguration, after: RunConfiguration): void {
  const { schedule, learningRate, iterations: was } = before.training[stage];
  if (schedule.kind === 'constant') return;
  const is = after.training[stage].iterations;
  const rate = (total: number): string => (learningRate * scheduleFactor(schedule, was, total)).toPrecision(3);
  throw new CommandError(
    `The ${schedule.kind} schedule of ${stage} follows from the total of iterations: at step ${was} the learning rate ` +
      `would be ${rate(is)} instead of ${rate(was)}, and the weights are not those of a run that was meant to train to ` +
      `step ${is} from its start. If that is what you want, say --stretch.`,
    exitCodes.usage,
  );
}
