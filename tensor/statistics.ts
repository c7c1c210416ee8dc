import { attribute, executeOne, float32, integers, view } from './engine.js';
import { record } from './recording.js';
import { tf, type Tensor, type Tensor3D, type Tensor4D } from './tensorflow.js';

const overAxis = [float32, attribute.int32('Tidx'), attribute.flag('keep_dims', true)];
const concatenate = [float32, attribute.int32('Tidx'), attribute.integer('N', 2)];
const slice = [float32, attribute.int32('Index')];

/**
 * Mean and unbiased variance over views:
 * m = Σ_v x_v / V, s = Σ_v (x_v − m)² / (V − 1).
 *
 * @param x `[B, V, N, F]`, V ≥ 2 @returns `[B, N, 2F]`, the means first.
 */
export function meanAndVariance(x: Tensor4D): Tensor3D {
  const [b, views, n, f] = x.shape;
  if (views < 2)
    throw new Error(`the variance over ${views} view has no value (it divides by V − 1): give two views or more`);
  const mean = executeOne('Mean', overAxis, [x, integers([1])]);
  const squares = executeOne('Sum', overAxis, [executeOne('SquaredDifference', [float32], [x, mean]), integers([1])]);
  const variance = executeOne('Mul', [float32], [squares, tf.scalar(1 / (views - 1))]);
  const y = view(executeOne('ConcatV2', concatenate, [mean, variance, integers([3], [])]), [b, n, 2 * f]);
  record('MeanAndVariance', [x], [y], [x, mean], ([dy], [x, mean]) => {
    // dx_v = dm / V + ds · 2 (x_v − m) / (V − 1)
    const gradient = view(dy!, [b, 1, n, 2 * f]);
    const part = (from: number): Tensor =>
      executeOne('Slice', slice, [gradient, integers([0, 0, 0, from]), integers([b, 1, n, f])]);
    const byMean = executeOne('Mul', [float32], [part(0), tf.scalar(1 / views)]);
    const byVariance = executeOne('Mul', [float32], [part(f), tf.scalar(2 / (views - 1))]);
    const centred = executeOne('Sub', [float32], [x!, mean!]);
    const spread = executeOne('Mul', [float32], [centred, byVariance]);
    centred.dispose();
    return [executeOne('AddV2', [float32], [spread, byMean])];
  });
  return y as Tensor3D;
}
