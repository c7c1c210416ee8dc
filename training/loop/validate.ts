import { setImmediate as breathe } from 'node:timers/promises';
import type { Batch } from '../../datasets/types.js';
import { MeanLosses } from './lossScalars.js';
import type { LossTerms, TrainingLoss } from '../losses/trainingLoss.js';
import { orAborted } from '../../storage/async/orAborted.js';
import { RegionErrors } from './regionErrors.js';
import type { BatchPredictor } from './recordedPrediction.js';
import type { StageData } from './stageData.js';

export interface ValidationOptions {
  readonly predictor: BatchPredictor;
  readonly loss: TrainingLoss;
  readonly data: StageData;
  /** After each batch: proof of progress. */
  readonly onBatch: () => void;
  readonly signal: AbortSignal;
}

/** What validation found, and its first batch with its prediction, for pictures. */
export interface Validation {
  readonly terms: LossTerms;
  /** Mean distance of vertices to the registrations', by region, mm. */
  readonly regions: readonly (readonly [string, number])[];
  readonly first: { readonly batch: Batch; readonly prediction: Float32Array } | null;
}

/**
 * The losses over the validation frames, the network running as it will be used.
 *
 * @returns null if it was cut short by `signal`.
 */
export async function validate(options: ValidationOptions): Promise<Validation | null> {
  const { predictor, loss, data, onBatch, signal } = options;
  const losses = new MeanLosses();
  const regions = new RegionErrors(data.regions);
  let first: Validation['first'] = null;
  const batches = data.validationBatches()[Symbol.asyncIterator]();
  for (;;) {
    // The loader may be waiting for a store that is away: being told to stop does not wait for that.
    const next = await orAborted(batches.next(), signal);
    if (next === null || signal.aborted) return null;
    if (next.done === true) break;
    const batch = next.value;
    const { vertices: registrations, scanPoints } = batch;
    if (!registrations) continue;
    const prediction = predictor.predict(batch);
    const { terms } = loss.evaluate(prediction, { registrations, scanPoints }, { measureDistance: true });
    losses.add(terms, batch.shape.batch);
    regions.add(prediction, registrations, batch.shape.batch);
    first ??= { batch, prediction };
    onBatch();
    await breathe();
  }
  return { terms: losses.mean, regions: regions.means, first };
}
