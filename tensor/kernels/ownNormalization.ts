import { attribute, execute, view, type Attribute } from '../engine/engine.js';
import { vectorsInUse } from '../engine/ownKernels.js';
import { Activation, activationsAreRounded } from '../engine/precision.js';
import { record } from '../gradients/recording.js';
import type { Tensor } from '../tensorflow.js';
import { batchNormalization, type Normalization } from './normalizationLayer.js';

/** Channels of the vectors that the kernels of `infra/setup/binding/batch_normalization.h` compute with. */
const channelMultiple = 16;

/** What comes after a normalisation: nothing, a rectifier, or the addition of an array of its shape and a rectifier. */
export type Afterwards = 'nothing' | 'rectify' | { readonly skip: Tensor };

/** Whether {@link ownNormalization} takes it: on processors, in float32, whole vectors of channels. */
export function ownNormalizationFits(x: Tensor): boolean {
  const channels = x.shape[x.rank - 1]!;
  return vectorsInUse() !== 'none' && !activationsAreRounded() && channels % channelMultiple === 0;
}

const typed = (rectify: boolean): Attribute[] => [
  attribute.number('epsilon', batchNormalization.epsilon),
  attribute.number('share', batchNormalization.momentum),
  attribute.flag('rectify', rectify),
];
const attributes = { nothing: typed(false), rectify: typed(true) };

/**
 * Normalises by the batch, and what comes afterwards, by a kernel of our own, which goes through memory twice in each pass
 * (see `normalizeByBatch` for what it computes). Sums are made in blocks, and blocks added in double precision. The bits
 * depend on sizes and numbers alone, not on threads, nor on which vectors the processor has.
 *
 * @param x `[…, C]` @param means running ones, without the layer's bias. `[C]`
 * @returns y, and the running statistics after this batch.
 */
export function ownNormalization(
  x: Tensor,
  { scale, offset, runningVariance }: Normalization,
  means: Tensor,
  afterwards: Afterwards,
): { readonly y: Tensor; readonly mean: Tensor; readonly variance: Tensor } {
  const channels = x.shape[x.rank - 1]!;
  const rows = (array: Tensor): Tensor => view(array, [x.size / channels, channels]);
  const skips = typeof afterwards === 'object' ? [afterwards.skip] : [];
  const name = skips.length === 0 ? 'TempehNormalize' : 'TempehNormalizeAdd';
  const settings = afterwards === 'nothing' ? attributes.nothing : attributes.rectify;
  const inputs = [x, ...skips].map(rows);
  const [normalized, mean, deviation, line, newMean, newVariance] = execute(
    name,
    settings,
    [...inputs, scale, offset, means, runningVariance],
    6,
  );
  const y = view(normalized!, x.shape);
  const arrays = skips.length === 0 ? [x] : [x, y];
  const saved = [...arrays.map((array) => new Activation(array)), scale, mean!, deviation!, line!];
  record(name, [x, ...skips, scale, offset], [y], saved, ([dy], kept) => {
    const given = [dy!, ...kept.slice(0, arrays.length)].map(rows);
    return execute(`${name}Grad`, settings, [...given, ...kept.slice(arrays.length)], arrays.length + 2);
  });
  return { y, mean: newMean!, variance: newVariance! };
}
