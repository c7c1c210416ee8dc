import type { TrainingStage } from '../../configs/schema/training.js';
import type { StageProgress } from '../../training/process/protocol.js';
import type { KnownSteps } from '../types.js';

/** What is known with the progress of a stage beside it. */
export function withProgress(known: KnownSteps, progress: StageProgress | null): KnownSteps {
  const { stage, checkpointStep = null } = progress ?? {};
  if (stage === undefined || checkpointStep === null) return known;
  return { ...known, [stage]: Math.max(known[stage] ?? 0, checkpointStep) };
}

/** Step of the newest known checkpoint of the folder that a stage's checkpoints lie in; undefined if none is known. */
export function knownStepOf(known: KnownSteps, stage: TrainingStage): number | undefined {
  // Pre-training and fine-tuning share one folder.
  const stages =
    stage === 'refinement' ? (['refinement'] as const) : (['coarse-pretraining', 'coarse-finetuning'] as const);
  const steps = stages.map((name) => known[name]).filter((step) => step !== undefined);
  return steps.length === 0 ? undefined : Math.max(...steps);
}
