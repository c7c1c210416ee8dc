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
  /** Forward pass, and reading the prediction. */
  readonly forward: number;
  readonly loss: number;
  /** Backward pass, clipping, AdamW, running statistics. */
  readonly backward: number;
  /** Waiting for the update, and what the host keeps of it. */
  readonly update: number;
}

/** A step whose batch is on the device. */
export interface PreparedStep {
  readonly batch: Batch;
  readonly prepared: PreparedBatch;
}

/** A step whose prediction is there. {@link finishStep} goes on with it. */
export interface BegunStep extends PreparedStep {
  /**
   * `[B, L, 3]` mm; null where the network refused the batch: on a CPU the sampler takes no coordinates that are not finite.
   */
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
  const pending = await finishStep(await beginStep(prepareStep(batch, options.step), options), options);
  return pending.outcome();
}

/** Brings a batch to the device. The step that it is begun with frees it. */
export function prepareStep(batch: Batch, { network }: RecordedStep): PreparedStep {
  if (!batch.vertices) throw new Error(`The batch of step ${batch.step} has no registrations to train on.`);
  return { batch, prepared: network.prepare(batch, 'training') };
}

/** In place of `beginStep`. */
export function dropPrepared({ prepared }: PreparedStep): void {
  for (const tensor of prepared.tensors) tensor.dispose();
}

/**
 * A step's forward pass. JavaScript goes on while TensorFlow computes; reading the prediction is where a step waits for the
 * device. It does not depend on the outcome of the step before, which can be asked for afterwards at no cost.
 */
export async function beginStep(
  { batch, prepared }: PreparedStep,
  { step }: Pick<TrainingStepOptions, 'step'>,
): Promise<BegunStep> {
  const begun = performance.now();
  const prediction = await predicted(step, prepared);
  return { batch, prepared, prediction, forwardMilliseconds: performance.now() - begun };
}

/**
 * Losses, backward pass and update.
 *
 * @param meanwhile what JavaScript does while TensorFlow computes the latter; given the prediction, if it is kept.
 */
export async function finishStep(
  begun: BegunStep,
  options: TrainingStepOptions,
  meanwhile: (prediction: Float32Array | null) => Promise<void> = async () => undefined,
): Promise<PendingStep> {
  const { batch, prediction } = begun;
  const { step, stage, keepPrediction } = options;
  try {
    const times = [performance.now()];
    const lap = (): void => void times.push(performance.now());
    const learningRate = stage.learningRate * scheduleFactor(stage.schedule, batch.step, stage.iterations);
    const { terms, gradient } = prediction === null ? noLosses : lossesOf(batch, prediction.values, options);
    lap();
    const shown = keepPrediction && prediction !== null ? prediction.values : null;
    const rates = { base: learningRate, localiser: stage.localiserLearningRate };
    const updating = prediction && gradient && updated(step, gradient, prediction.shape, rates).finally(lap);
    // Whatever becomes of the one, the other is waited for.
    const [update, other] = await Promise.allSettled([updating, meanwhile(shown)]);
    if (update.status === 'rejected') throw update.reason;
    if (other.status === 'rejected') throw other.reason;
    const norm = update.value;
    if (norm === null) lap();
    const milliseconds = {
      forward: begun.forwardMilliseconds,
      loss: times[1]! - times[0]!,
      backward: times[2]! - times[1]!,
    };
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
    dropPrepared(begun);
  }
}

/** In place of `finishStep`. */
export function abandonStep(begun: BegunStep, { step }: Pick<TrainingStepOptions, 'step'>): void {
  if (begun.prediction !== null) step.discard();
  dropPrepared(begun);
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
    // The sampler's message.
    if (cause instanceof Error && /not finite/.test(cause.message)) return null;
    for (const tensor of prepared.tensors) tensor.dispose();
    throw cause;
  }
}
