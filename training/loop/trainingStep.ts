import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import { applyStatistics, disposeStatistics } from '../../model/pass.js';
import { tf, valueAndGradients } from '../../tensor/index.js';
import { clipByGlobalNorm } from '../optimisation/gradientClipping.js';
import type { LossTerms, TrainingLoss } from '../losses/trainingLoss.js';
import type { AdamW } from '../optimisation/optimizer.js';
import { scheduleFactor } from '../optimisation/schedules.js';
import type { StageNetwork } from '../networks/stageNetwork.js';
import { viewTensors } from './viewTensors.js';

export interface TrainingStepOptions {
  readonly network: StageNetwork;
  readonly loss: TrainingLoss;
  readonly optimizer: AdamW;
  readonly stage: StageConfiguration;
  /** Also measures the point-to-surface distance where its loss has no weight. */
  readonly measureDistance: boolean;
  /** Also returns the prediction. */
  readonly keepPrediction: boolean;
}

export interface TrainingStepOutcome {
  readonly terms: LossTerms;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** False where the loss or a gradient is not finite: then nothing was changed. */
  readonly applied: boolean;
  /** `[B, L, 3]` mm, before the update; null unless asked for. */
  readonly prediction: Float32Array | null;
  readonly milliseconds: StepMilliseconds;
}

/** Where a step's time goes. */
export interface StepMilliseconds {
  readonly forward: number;
  readonly loss: number;
  readonly backward: number;
  readonly update: number;
}

/** One step of a stage: forward, losses, gradients, clipping, AdamW, running statistics (method 4). */
export function trainingStep(batch: Batch, options: TrainingStepOptions): TrainingStepOutcome {
  try {
    return unguardedStep(batch, options);
  } catch (cause) {
    // On a CPU the bilinear sampler refuses coordinates that are not finite, before there is a loss.
    if (!(cause instanceof Error) || !/not finite/.test(cause.message)) throw cause;
    const terms = { total: NaN, points: NaN, pointsToSurface: NaN, edges: NaN, pointsToSurfaceDistance: NaN };
    const milliseconds = { forward: 0, loss: 0, backward: 0, update: 0 };
    return { terms, gradientNorm: NaN, learningRate: NaN, applied: false, prediction: null, milliseconds };
  }
}

function unguardedStep(batch: Batch, options: TrainingStepOptions): TrainingStepOutcome {
  const { network, loss, optimizer, stage, measureDistance, keepPrediction } = options;
  const { vertices: registrations, scanPoints } = batch;
  if (!registrations) throw new Error(`The batch of step ${batch.step} has no registrations to train on.`);
  const learningRate = stage.learningRate * scheduleFactor(stage.schedule, batch.step, stage.iterations);
  const times = [performance.now()];
  const lap = (): void => void times.push(performance.now());
  let outcome: TrainingStepOutcome | undefined;
  // What tidy's function returns is searched for tensors, number by number: nothing is returned.
  tf.tidy('training step', () => {
    const views = viewTensors(batch);
    let prediction: Float32Array | null = null;
    const { value, gradients } = valueAndGradients(() => {
      const { vertices, statistics } = network.forward(views, batch, 'training');
      lap();
      const { loss: total, terms } = loss.differentiable(vertices, { registrations, scanPoints }, { measureDistance });
      lap();
      if (keepPrediction) prediction = vertices.dataSync<'float32'>().slice();
      return { loss: total, terms, statistics };
    }, network.state.parameters);
    lap();
    const { terms, statistics } = value;
    const { norm: gradientNorm, gradients: clipped } = clipByGlobalNorm(gradients, stage.gradientClipping);
    const applied = Number.isFinite(terms.total) && Number.isFinite(gradientNorm);
    if (applied) {
      optimizer.update(clipped, { base: learningRate, localiser: stage.localiserLearningRate });
      applyStatistics(network.state, statistics);
    } else {
      disposeStatistics(statistics);
    }
    lap();
    const milliseconds = {
      forward: times[1]! - times[0]!,
      loss: times[2]! - times[1]!,
      backward: times[3]! - times[2]!,
      update: times[4]! - times[3]!,
    };
    outcome = { terms, gradientNorm, learningRate, applied, prediction, milliseconds };
  });
  return outcome!;
}
