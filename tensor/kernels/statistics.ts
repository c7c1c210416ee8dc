import { attribute, executeOne, float32, integers, view } from '../engine/engine.js';
import { record } from '../gradients/recording.js';
import { tf, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '../tensorflow.js';

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

/**
 * Weighted mean and variance over views, of weights that sum to 1 over them:
 * m = Σ_v w_v x_v, s = Σ_v w_v x_v² − m².
 *
 * @param x `[V, P, F]` @param weights constants. `[V, P]` @returns `[P, 2F]`, the means first.
 */
export function weightedMeanAndVariance(x: Tensor3D, weights: Tensor2D): Tensor2D {
  const [views, points, f] = x.shape;
  const w = view(weights, [views, points, 1]);
  const weighted = executeOne('Mul', [float32], [x, w]);
  const mean = executeOne('Sum', overAxis, [weighted, integers([0])]);
  const second = executeOne('Sum', overAxis, [executeOne('Mul', [float32], [weighted, x]), integers([0])]);
  const variance = executeOne('Sub', [float32], [second, executeOne('Square', [float32], [mean])]);
  const y = view(executeOne('ConcatV2', concatenate, [mean, variance, integers([2], [])]), [points, 2 * f]);
  record('WeightedMeanAndVariance', [x], [y], [x, w, mean], ([dy], [x, w, mean]) => {
    // dx_v = w_v (dm + 2 (x_v − m) ds)
    const gradient = view(dy!, [1, points, 2 * f]);
    const part = (from: number): Tensor =>
      executeOne('Slice', slice, [gradient, integers([0, 0, from]), integers([1, points, f])]);
    const twice = executeOne('Mul', [float32], [part(f), tf.scalar(2)]);
    const centred = executeOne('Sub', [float32], [x!, mean!]);
    const spread = executeOne('Mul', [float32], [centred, twice]);
    centred.dispose();
    const sum = executeOne('AddV2', [float32], [spread, part(0)]);
    spread.dispose();
    return [executeOne('Mul', [float32], [sum, w!])];
  });
  return y as Tensor2D;
}
