import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import { countBatches } from '../../model/pass.js';
import { tf, tidy, type PendingNumber } from '../../tensor/index.js';
import type { LossTerms, TrainingLoss } from '../losses/trainingLoss.js';
import type { AdamW, LearningRates } from '../optimisation/optimizer.js';
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
  /** Waiting for the update, and what the host keeps of it. */
  readonly update: number;
}

/** A step of which the prediction is there. To be gone on with by {@link finishStep}. */
export interface BegunStep {
  readonly batch: Batch;
  /** Of the batch on the device; freed by `finishStep`. */
  readonly prepared: PreparedBatch;
  /** `[B, L, 3]` mm; null where the network refused the batch: on a CPU the sampler takes no coordinates that are not finite. */
  readonly prediction: { readonly values: Float32Array; readonly shape: number[] } | null;
  readonly forwardMilliseconds: number;
}

/** A step whose update is under way on the device, or done. */
export interface PendingStep {
  readonly batch: Batch;
  readonly milliseconds: Omit<StepMilliseconds, 'update'>;
  /**
   * What it came to. To be asked for before the next step is finished, and before parameters, moments or statistics are
   * looked at: an update that turns out to have been applied is counted here.
   */
  outcome(): TrainingStepOutcome;
}

/** One step of a stage: forward, losses, gradients, clipping, AdamW, running statistics (method 4). */
export async function trainingStep(batch: Batch, options: TrainingStepOptions): Promise<TrainingStepOutcome> {
  const pending = await finishStep(await beginStep(batch, options), options);
  return pending.outcome();
}

/**
 * A step's forward pass. JavaScript goes on while TensorFlow computes; reading the prediction is where a step waits for the
 * device. It does not depend on the outcome of the step before, which can be asked for afterwards at no cost.
 */
export async function beginStep(batch: Batch, { step }: Pick<TrainingStepOptions, 'step'>): Promise<BegunStep> {
  const { vertices: registrations } = batch;
  if (!registrations) throw new Error(`The batch of step ${batch.step} has no registrations to train on.`);
  const begun = performance.now();
  const prepared = step.network.prepare(batch, 'training');
  const prediction = await predicted(step, prepared);
  return { batch, prepared, prediction, forwardMilliseconds: performance.now() - begun };
}

/** Losses, backward pass and update; JavaScript goes on while TensorFlow computes. */
export async function finishStep(begun: BegunStep, options: TrainingStepOptions): Promise<PendingStep> {
  const { batch, prepared, prediction } = begun;
  const { step, stage, keepPrediction } = options;
  try {
    const times = [performance.now()];
    const lap = (): void => void times.push(performance.now());
    const learningRate = stage.learningRate * scheduleFactor(stage.schedule, batch.step, stage.iterations);
    const { terms, gradient } = prediction === null ? noLosses : lossesOf(batch, prediction.values, options);
    lap();
    let norm: PendingNumber | null = null;
    if (prediction !== null && gradient !== null) {
      norm = await updated(step, gradient, prediction.shape, {
        base: learningRate,
        localiser: stage.localiserLearningRate,
      });
    }
    lap();
    const milliseconds = {
      forward: begun.forwardMilliseconds,
      loss: times[1]! - times[0]!,
      backward: times[2]! - times[1]!,
    };
    const shown = keepPrediction && prediction !== null ? prediction.values : null;
    const outcome = (): TrainingStepOutcome => {
      const asked = performance.now();
      const gradientNorm = norm === null ? NaN : norm.read();
      const applied = Number.isFinite(gradientNorm);
      if (applied) count(options);
      const update = performance.now() - asked;
      return {
        terms,
        gradientNorm,
        learningRate,
        applied,
        prediction: shown,
        milliseconds: { ...milliseconds, update },
      };
    };
    return { batch, milliseconds, outcome };
  } finally {
    for (const tensor of prepared.tensors) tensor.dispose();
  }
}

/** In place of `finishStep`. */
export function abandonStep({ prepared, prediction }: BegunStep, { step }: Pick<TrainingStepOptions, 'step'>): void {
  if (prediction !== null) step.discard();
  for (const tensor of prepared.tensors) tensor.dispose();
}

const noLosses = {
  terms: { total: NaN, points: NaN, pointsToSurface: NaN, edges: NaN, pointsToSurfaceDistance: NaN },
  gradient: null,
};

/** The gradient is null, and the forward pass given up, where the loss is not finite. */
function lossesOf(
  { vertices, scanPoints }: Batch,
  values: Float32Array,
  { step, loss, measureDistance }: TrainingStepOptions,
): { readonly terms: LossTerms; readonly gradient: Float32Array | null } {
  const { terms, gradient } = loss.evaluate(values, { registrations: vertices!, scanPoints }, { measureDistance });
  if (Number.isFinite(terms.total)) return { terms, gradient };
  step.discard();
  return { terms, gradient: null };
}

async function updated(
  step: RecordedStep,
  gradient: Float32Array,
  shape: number[],
  rates: LearningRates,
): Promise<PendingNumber> {
  const uploaded = tf.tensor(gradient, shape);
  try {
    return await step.backward(uploaded, rates);
  } finally {
    uploaded.dispose();
  }
}

/** What the host keeps of an update. */
function count({ step, optimizer }: TrainingStepOptions): void {
  const { state, frozen } = step.network;
  tidy(() => {
    optimizer.count(step.trained, 1);
    countBatches(state, frozen);
  });
}

async function predicted(step: RecordedStep, prepared: PreparedBatch): Promise<BegunStep['prediction']> {
  const run = async (exactShifts: boolean): Promise<{ values: Float32Array; shape: number[] }> => {
    const vertices = await step.forward(prepared, exactShifts);
    const found = { values: vertices.dataSync<'float32'>().slice(), shape: vertices.shape };
    vertices.dispose();
    return found;
  };
  try {
    const usual = await run(false);
    if (usual.values.every(Number.isFinite)) return usual;
    // Either the network's numbers are not finite, or its logits are too far apart for the usual shifts.
    step.discard();
    return await run(true);
  } catch (cause) {
    // The sampler's words.
    if (cause instanceof Error && /not finite/.test(cause.message)) return null;
    for (const tensor of prepared.tensors) tensor.dispose();
    throw cause;
  }
}
