import type { RunConfiguration } from '../configs/schema/run.js';
import { placeOf } from '../datasets/reader/inPlace.js';
import type { ObjectStore } from '../storage/types.js';
import { keys } from '../storage/keys.js';
import { asEvaluation } from './measure/asEvaluation.js';
import { measure } from './measure/measure.js';
import { openRun } from './measure/run.js';
import { TestSet } from './testSet.js';
import type { Evaluation } from './types.js';

export interface EvaluateRunOptions {
  readonly store: ObjectStore;
  readonly configuration: RunConfiguration;
  readonly run: string;
  /** Called after each frame. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures a run's predictions of the test set (`keys.testPredictions`) against its scans and registrations, beside
 * baselines (`methodNames`). Writes `evaluation.json` of the run; doing it again replaces it.
 *
 * @throws Error when the test set has no prediction, or no frame that every stage predicted.
 */
export async function evaluateRun(options: EvaluateRunOptions): Promise<Evaluation> {
  const { store, configuration, run, onProgress, signal } = options;
  const testSet = await TestSet.open(store, run, configuration.dataset.name, placeOf(configuration.dataset));
  const { gridOrigin: volumeCentre } = configuration.model.coarse;
  const set = await openRun({ store, run, testSet, volumeCentre, ...(signal ? { signal } : {}) });
  const measurement = await measure(set, {
    onFrame: (done, total) => onProgress?.({ done, total }),
    ...(signal ? { signal } : {}),
  });
  if (measurement.frames === 0) {
    const why = measurement.leftOut[0]?.reason ?? 'there is none';
    throw new Error(`None of the ${set.frames.length} test frames can be evaluated; the first: ${why}.`);
  }
  const evaluation = asEvaluation(measurement);
  const json = Buffer.from(JSON.stringify(evaluation, null, 1));
  await store.put(keys.evaluation(run), json, { contentType: 'application/json', ...(signal ? { signal } : {}) });
  return evaluation;
}
