import type { Client } from '@temporalio/client';
import type { DatasetSummary } from '../../../activities/types.js';
import type { RunDescription } from '../../../client/runs/describeRun.js';
import { measuredCosts, ownSteps } from '../../../configs/measuredCosts.js';
import type { TrainingStage } from '../../../configs/schema/training.js';
import type { RunConfiguration } from '../../../configs/schema/run.js';
import type { RunStep } from '../../../configs/temporal.js';

/** What says how much is still to do beside where a run is; asked for once. */
export interface OutlookBasis {
  readonly configuration: RunConfiguration;
  /** Frames of the packed data set; null where that is not known. */
  readonly frames: DatasetSummary['frames'] | null;
}

/** Asks Temporal for it; null for what is no run, or where it does not say. */
export async function outlookBasis(client: Client, run: string): Promise<OutlookBasis | null> {
  try {
    const { configurationOf } = await import('../../../client/runs/runs.js');
    const configuration = await configurationOf(client, run);
    const packed = client.workflow.getHandle(`${run}/dataset`);
    const isDone = (await packed.describe().catch(() => null))?.status.name === 'COMPLETED';
    const frames = isDone ? ((await packed.result()) as DatasetSummary).frames : null;
    return { configuration, frames };
  } catch {
    // It is a courtesy.
    return null;
  }
}

/**
 * Seconds until a whole run is done: what trains now by its own rate, what comes later by that rate and what the stages
 * cost beside each other on the machine that was measured. One GPU is reckoned with.
 *
 * @returns null while no stage of it trains.
 */
export function secondsLeft({ progress }: RunDescription, { configuration, frames }: OutlookBasis): number | null {
  const training = progress?.training ?? null;
  if (progress === null || training === null || training.stepsPerSecond <= 0) return null;
  const costs = measuredCosts(configuration);
  const factor = 1 / training.stepsPerSecond / costs.step[training.stage];
  const todo = ({ step }: { readonly step: RunStep }): number => {
    if (step === training.stage) return (training.totalSteps - training.step) / training.stepsPerSecond;
    if (isStage(step)) return factor * ownSteps(configuration, step) * costs.step[step];
    if (frames === null) return 0;
    if (step === 'predictions') return factor * (frames.train + frames.validation) * costs.coarseFrame;
    return step === 'evaluation' ? factor * frames.test * costs.refinedFrame : 0;
  };
  const open = progress.steps.filter(({ state }) => state === 'waiting' || state === 'running' || state === 'paused');
  if (!open.some(({ step, state }) => step === training.stage && state === 'running')) return null;
  return open.reduce((sum, step) => sum + todo(step), 0);
}

function isStage(step: RunStep): step is TrainingStage {
  return stages.some((stage) => stage === step);
}

/** Their own list is the schema's, which would take its time to load. */
const stages = ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const satisfies readonly TrainingStage[];
