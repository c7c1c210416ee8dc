import { executeOne } from '../engine/engine.js';
import { vectorsInUse } from '../engine/ownKernels.js';
import { convolvesInBfloat16 } from '../engine/precision.js';
import type { Tensor } from '../tensorflow.js';

/** oneDNN's vectors of channels: where all channels fill some, it is as quick. */
const wholeVectors = 16;
const mostChannels = 24;

/**
 * Whether volumes of few channels are to be convolved by a kernel of our own (infra/setup/binding/narrow_convolution.h):
 * a filter 3³ that keeps the size, between channels of which some fill no vector. oneDNN takes three to five times as long.
 *
 * @param filter `[K, K, K, I, O]`
 */
export function narrowConvolutionFits(filter: readonly number[]): boolean {
  const [side, , , ...channels] = filter;
  const isNarrow =
    channels.every((count) => count <= mostChannels) && channels.some((count) => count % wholeVectors !== 0);
  return side === 3 && isNarrow && vectorsInUse() !== 'none' && !convolvesInBfloat16();
}

/** `[N, D, H, W, I]` and `[3, 3, 3, I, O]` → `[N, D, H, W, O]` */
export function narrowConvolution(x: Tensor, filter: Tensor): Tensor {
  return executeOne('TempehNarrowConvolution', [], [x, filter]);
}

/** Gradient by x. */
export function narrowInputGradient(dy: Tensor, filter: Tensor): Tensor {
  return executeOne('TempehNarrowConvolutionInputGrad', [], [dy, filter]);
}

/** Gradient by the filter. @param filter its shape counts. */
export function narrowFilterGradient(x: Tensor, dy: Tensor, filter: Tensor): Tensor {
  return executeOne('TempehNarrowConvolutionFilterGrad', [], [x, dy, filter]);
}
