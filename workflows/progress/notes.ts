import type { DatasetSummary, EvaluationSummary } from '../../activities/types.js';
import type { StageResult } from '../../training/process/protocol.js';
import type { PredictionSummary } from '../types.js';

/** Note of the evaluation in a run that cannot have one. */
export const noTestSet = 'there is no test set (dataset.layout.test)';

/** A line on what a step has done, shown by the step and by the full training that started it. */
export function datasetNote({ name, frames, unusable }: DatasetSummary): string {
  const left = unusable === 0 ? '' : `; ${unusable} unusable frames left out`;
  return `${name}: ${frames.train} frames to train, ${frames.validation} to validate, ${frames.test} to test${left}`;
}

export function stageNote({ step, loss, seconds }: StageResult): string {
  if (seconds === 0) return `was done before, at step ${step}`;
  return `step ${step}${loss === null ? '' : `, loss ${loss.toPrecision(4)}`}`;
}

export function predictionsNote({ frames, predicted, failures }: PredictionSummary): string {
  if (predicted === 0 && failures === 0) return `${frames} frames, all there before`;
  const before = frames - predicted - failures;
  return `${frames} frames${before === 0 ? '' : `, ${before} of them before`}${failures === 0 ? '' : `; ${failures} failed`}`;
}

export function evaluationNote({ frames, methods, warnings = [] }: EvaluationSummary): string {
  const models = methods.filter(({ method }) => method === 'coarse' || method === 'refinement');
  const medians = models.map(({ method, pointToSurface }) => `${method} ${pointToSurface.median.toFixed(2)} mm`);
  const warned = warnings.map((warning) => `; WARNING: ${warning}`).join('');
  return `${frames} test frames; median point-to-surface error: ${medians.join(', ')}${warned}`;
}
