/**
 * A line on what each step of a run has done. Workflow code has them, too: they are of nothing but what they are given.
 */

/** Note of the evaluation in a run that cannot have one. */
export const noTestSet = 'there is no test set (dataset.layout.test)';

interface Packed {
  readonly name: string;
  readonly frames: Readonly<Record<'train' | 'validation' | 'test', number>>;
  readonly unusable: number;
}

/** Of a packed data set. */
export function datasetNote({ name, frames, unusable }: Packed): string {
  const left = unusable === 0 ? '' : `; ${unusable} unusable frames left out`;
  return `${name}: ${frames.train} frames to train, ${frames.validation} to validate, ${frames.test} to test${left}`;
}

/** Of a stage that was trained. */
export function stageNote({
  step,
  loss,
  seconds,
}: {
  readonly step: number;
  readonly loss: number | null;
  readonly seconds: number;
}): string {
  if (seconds === 0) return `was done before, at step ${step}`;
  return `step ${step}${loss === null ? '' : `, loss ${loss.toPrecision(4)}`}`;
}

/** Of frames that were predicted. */
export function predictionsNote({
  frames,
  predicted,
  failures,
}: Readonly<Record<'frames' | 'predicted' | 'failures', number>>): string {
  if (predicted === 0 && failures === 0) return `${frames} frames, all there before`;
  const before = frames - predicted - failures;
  return `${frames} frames${before === 0 ? '' : `, ${before} of them before`}${failures === 0 ? '' : `; ${failures} failed`}`;
}

interface Measured {
  readonly frames: number;
  readonly methods: readonly { readonly method: string; readonly pointToSurface: { readonly median: number } }[];
  readonly warnings?: readonly string[];
}

/** Of an evaluation. */
export function evaluationNote({ frames, methods, warnings = [] }: Measured): string {
  const models = methods.filter(({ method }) => method === 'coarse' || method === 'refinement');
  const medians = models.map(({ method, pointToSurface }) => `${method} ${pointToSurface.median.toFixed(2)} mm`);
  const warned = warnings.map((warning) => `; WARNING: ${warning}`).join('');
  return `${frames} test frames; median point-to-surface error: ${medians.join(', ')}${warned}`;
}
