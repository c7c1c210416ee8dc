import { attribute, execute, executeOne, float32, view, type Attribute } from '../engine/engine.js';
import { Activation } from '../engine/precision.js';
import { record, recomputed, type Recipe } from '../gradients/recording.js';
import { tf, type Tensor } from '../tensorflow.js';
import { addReluInto, relu, requireEqualShapes } from './elementwise.js';
import { batchNormalization, type Normalization, type RunningStatistics } from './normalizationLayer.js';
import { ownNormalization, ownNormalizationFits, type Afterwards } from './ownNormalization.js';

const { epsilon, momentum } = batchNormalization;

const typed = [
  float32,
  attribute.float32('U'),
  attribute.number('epsilon', epsilon),
  attribute.text('data_format', 'NHWC'),
];
const training = [...typed, attribute.flag('is_training', true)];
const evaluation = [...typed, attribute.flag('is_training', false)];
const update = attribute.number('exponential_avg_factor', momentum);

/** oneDNN's fused kernel takes four axes: five would go to a kernel that is four times as slow. */
function fourAxes(shape: readonly number[]): number[] {
  if (shape.length === 4) return [...shape];
  const channels = shape[shape.length - 1]!;
  if (shape.length < 3) return [shape[0]!, 1, 1, channels];
  const inner = shape[shape.length - 2]!;
  return [shape[0]!, shape.slice(1, -2).reduce((product, side) => product * side, 1), inner, channels];
}

/**
 * Normalises by the batch's own mean and (biased) variance, over all axes but the last:
 * y = scale · (x − mean) / √(variance + ε) + offset. Afterwards max(y, 0) or max(y + skip, 0), if that is asked for.
 *
 * @param x `[…, C]`, at least two values a channel.
 * @param recipe by which what a rectifier returns is computed again, not kept.
 * @returns y, and the running statistics after this batch: (1 − 0.1) · old + 0.1 · (mean + bias, unbiased variance).
 * @throws Error when there is one value a channel: its variance is not defined.
 */
export function normalizeByBatch(
  x: Tensor,
  layer: Normalization,
  afterwards: Afterwards = 'nothing',
  recipe?: Recipe,
): { readonly y: Tensor; readonly running: RunningStatistics } {
  if (x.size === layer.scale.size) {
    throw new Error(
      `batch normalisation of [${x.shape.join(', ')}]: one value a channel has no variance; use a batch of 2 or more`,
    );
  }
  if (typeof afterwards === 'object') requireEqualShapes('normalizeByBatch', x, afterwards.skip);
  const { bias } = layer;
  const runningMean = bias === undefined ? layer.runningMean : executeOne('Sub', [float32], [layer.runningMean, bias]);
  const isOwn = ownNormalizationFits(x);
  const normalized = isOwn ? ownNormalization(x, layer, runningMean, afterwards) : byOperations(x, layer, runningMean);
  const mean = bias === undefined ? normalized.mean : executeOne('AddV2', [float32], [normalized.mean, bias]);
  const running = { mean, variance: normalized.variance };
  if (!isOwn) return { y: followedBy(normalized.y, afterwards, recipe), running };
  if (recipe !== undefined) recomputed(normalized.y, recipe);
  return { y: normalized.y, running };
}

/** @returns y, and the running statistics after this batch. */
function byOperations(
  x: Tensor,
  { scale, offset, runningVariance }: Normalization,
  runningMean: Tensor,
): { readonly y: Tensor; readonly mean: Tensor; readonly variance: Tensor } {
  const shaped = view(x, fourAxes(x.shape));
  const [normalized, mean, variance, ...reserved] = execute(
    'FusedBatchNormV3',
    [...training, update],
    [shaped, scale, offset, runningMean, runningVariance],
    6,
  );
  const y = view(normalized!, x.shape);
  const saved = [new Activation(x), scale, ...reserved];
  record('NormalizeByBatch', [x, scale, offset], [y], saved, ([dy], [x, scale, ...reserved]) => {
    const inputs = [view(dy!, shaped.shape), view(x!, shaped.shape), scale!, ...reserved];
    return execute('FusedBatchNormGradV3', training, inputs, 5).slice(0, 3);
  });
  return { y, mean: mean!, variance: variance! };
}

/** What comes after a normalisation, which is disposed where something does. */
export function followedBy(normalized: Tensor, afterwards: Afterwards, recipe?: Recipe): Tensor {
  if (afterwards === 'nothing') return normalized;
  if (afterwards !== 'rectify') return addReluInto(normalized, afterwards.skip);
  const y = relu(normalized, recipe);
  normalized.dispose();
  return y;
}

/**
 * Normalises by the running statistics, which count as constants:
 * y = scale · (x + bias − mean) / √(variance + ε) + offset.
 *
 * It is not multiplied into the filters before it: their rounding, which is the same at every pixel, would double the
 * vertices' error (`bench/pytorch/held_out.py`, two views: 0.0186 mm instead of 0.0073), for 3 % of a coarse prediction.
 *
 * @param x `[…, C]`
 */
export function normalizeByRunningStatistics(x: Tensor, layer: Normalization): Tensor {
  const { scale, offset, bias, runningMean, runningVariance } = layer;
  const mean = bias === undefined ? runningMean : executeOne('Sub', [float32], [runningMean, bias]);
  const shaped = view(x, fourAxes(x.shape));
  const [normalized] = execute('FusedBatchNormV3', evaluation, [shaped, scale, offset, mean, runningVariance], 6);
  const y = view(normalized!, x.shape);
  const inputs = [x, scale, offset, ...(bias === undefined ? [] : [bias])];
  record('NormalizeByRunningStatistics', inputs, [y], [shaped, scale, mean, runningVariance], ([dy], saved) => {
    const [x, scale, mean, variance] = saved;
    const gradient = view(dy!, x!.shape);
    const [dx, dScale, dOffset] = normalizationGradient(gradient, x!, scale!, mean!, variance!, evaluation);
    if (bias === undefined) return [dx, dScale, dOffset];
    return [dx, dScale, dOffset, tf.mul(dOffset, tf.mul(scale!, tf.rsqrt(tf.add(variance!, epsilon))))];
  });
  return y;
}

function normalizationGradient(
  dy: Tensor,
  x: Tensor,
  scale: Tensor,
  mean: Tensor,
  variance: Tensor,
  attributes: Attribute[],
): [Tensor, Tensor, Tensor] {
  const none = tf.tensor1d([]);
  const [dx, dScale, dOffset] = execute('FusedBatchNormGradV3', attributes, [dy, x, scale, mean, variance, none], 5);
  return [dx!, dScale!, dOffset!];
}
