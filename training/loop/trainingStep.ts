import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import { countBatches } from '../../model/pass.js';
import { tf, type Tensor } from '../../tensor/index.js';
import type { LossTerms, TrainingLoss } from '../losses/trainingLoss.js';
import type { AdamW } from '../optimisation/optimizer.js';
import type { RecordedStep } from './recordedStep.js';
import type { PreparedBatch } from '../networks/stageNetwork.js';
import { scheduleFactor } from '../optimisation/schedules.js';

export interface TrainingStepOptions {
  readonly step: RecordedStep;
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
  /** Upload, forward pass, and reading the prediction. */
  readonly forward: number;
  readonly loss: number;
  /** Backward pass, clipping, AdamW, running statistics. */
  readonly backward: number;
  /** What the host keeps of the update. */
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
  const { step, loss, optimizer, stage, measureDistance, keepPrediction } = options;
  const { network } = step;
  const { vertices: registrations, scanPoints } = batch;
  if (!registrations) throw new Error(`The batch of step ${batch.step} has no registrations to train on.`);
  const learningRate = stage.learningRate * scheduleFactor(stage.schedule, batch.step, stage.iterations);
  const times = [performance.now()];
  const lap = (): void => void times.push(performance.now());
  let outcome: TrainingStepOutcome | undefined;
  // What tidy's function returns is searched for tensors, number by number: nothing is returned.
  tf.tidy('training step', () => {
    const { vertices, values } = predicted(step, network.prepare(batch, 'training'));
    lap();
    const { terms, gradient } = loss.evaluate(values, { registrations, scanPoints }, { measureDistance });
    lap();
    let gradientNorm = NaN;
    if (Number.isFinite(terms.total)) {
      const rates = { base: learningRate, localiser: stage.localiserLearningRate };
      gradientNorm = step.backward(tf.tensor(gradient, vertices.shape), rates).dataSync()[0]!;
    } else {
      step.discard();
    }
    lap();
    const applied = Number.isFinite(gradientNorm);
    if (applied) {
      optimizer.count(step.trained, 1);
      countBatches(network.state, network.frozen);
    }
    lap();
    const milliseconds = {
      forward: times[1]! - times[0]!,
      loss: times[2]! - times[1]!,
      backward: times[3]! - times[2]!,
      update: times[4]! - times[3]!,
    };
    const prediction = keepPrediction ? values.slice() : null;
    outcome = { terms, gradientNorm, learningRate, applied, prediction, milliseconds };
  });
  return outcome!;
}

function predicted(
  step: RecordedStep,
  prepared: PreparedBatch,
): { readonly vertices: Tensor; readonly values: Float32Array } {
  const run = (exactShifts: boolean): { vertices: Tensor; values: Float32Array } => {
    const vertices = step.forward(prepared, exactShifts);
    return { vertices, values: vertices.dataSync<'float32'>() };
  };
  const usual = run(false);
  if (usual.values.every(Number.isFinite)) return usual;
  // Either the network's numbers are not finite, or its logits are too far apart for the usual shifts.
  step.discard();
  return run(true);
}
