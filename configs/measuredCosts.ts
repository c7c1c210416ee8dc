import type { RunConfiguration } from './schema/run.js';
import type { TrainingStage } from './schema/training.js';

/** What work costs on one machine, in seconds. */
export interface Costs {
  /** A training step, by stage. */
  readonly step: Readonly<Record<TrainingStage, number>>;
  /** A frame's prediction: coarse alone, and through both stages. */
  readonly coarseFrame: number;
  readonly refinedFrame: number;
}

/**
 * Measured on two cores with AVX-512 by `npm run bench` (docs/performance.md): steps of two frames (paper: 16 views).
 * What another machine needs is a multiple of it: so they say how the stages compare, and a run's own rate says the rest.
 */
const measured = {
  paper: { coarseStep: 3.4, refinementStep: 61, coarseFrame: 0.56, refinedFrame: 7.6 },
  miniature: { coarseStep: 0.068, refinementStep: 0.288, coarseFrame: 0.012, refinedFrame: 0.06 },
} as const;

/** The machine that {@link measuredCosts} are of. */
export const measuredOn = 'two cores with AVX-512 (npm run bench, docs/performance.md)';

/** Voxels of the coarse grid's side from which on networks are closer to the paper's (32) than to the miniature's (8). */
const paperSide = 20;

/** What a configuration's work costs on the machine that was measured; networks of another size than those are counted as the nearer of the two. */
export function measuredCosts({ model, training }: Pick<RunConfiguration, 'model' | 'training'>): Costs {
  const { coarseStep, refinementStep, ...frames } =
    measured[model.coarse.gridSide >= paperSide ? 'paper' : 'miniature'];
  const step = (seconds: number, stage: TrainingStage): number => (seconds * training[stage].batchSize) / 2;
  return {
    step: {
      'coarse-pretraining': step(coarseStep, 'coarse-pretraining'),
      'coarse-finetuning': step(coarseStep, 'coarse-finetuning'),
      refinement: step(refinementStep, 'refinement'),
    },
    ...frames,
  };
}

/** Steps that a stage makes by itself: fine-tuning goes on with pre-training's counter. */
export function ownSteps({ training }: Pick<RunConfiguration, 'training'>, stage: TrainingStage): number {
  const { iterations } = training[stage];
  return stage === 'coarse-finetuning'
    ? Math.max(0, iterations - training['coarse-pretraining'].iterations)
    : iterations;
}
