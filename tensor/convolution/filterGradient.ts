import { attribute, executeOne, view } from '../engine/engine.js';
import { vectorsInUse } from '../engine/ownKernels.js';
import { convolvesInBfloat16 } from '../engine/precision.js';
import { tidy } from '../engine/tidy.js';
import type { Tensor } from '../tensorflow.js';

/**
 * Whether {@link ownFilterGradient} is to be used: with AVX2 alone, where oneDNN comes to 45 to 75 % of a matrix product's
 * rate at filter gradients (all sizes of the coarse model), and copies volumes once for each of a filter's taps.
 */
export function ownFilterGradientFits(): boolean {
  return vectorsInUse() === 'avx2' && !convolvesInBfloat16();
}

/**
 * Gradient of a convolution over two or three axes by its filter, by a kernel of our own (infra/setup/binding):
 *
 *   df[k, i, o] = Σ_{n,p} x[n, stride·p + k − padding, i] · dy[n, p, o].
 *
 * The bits depend on sizes and numbers alone, not on threads.
 *
 * @param x `[N, …, I]` @param filter its shape counts. `[K, …, I, O]` @param dy `[N, …, O]`
 * @param padded whether each side has half a filter of padding, for a stride of 1; else it has none.
 */
export function ownFilterGradient(x: Tensor, filter: Tensor, dy: Tensor, stride: number, padded: boolean): Tensor {
  const typed = [attribute.integer('stride', stride), attribute.flag('padded', padded)];
  return tidy(() => {
    const inputs = [volumes(x), filter.rank === 5 ? filter : view(filter, [1, ...filter.shape]), volumes(dy)];
    return view(executeOne('TempehFilterGradient', typed, inputs), filter.shape);
  });
}

/** Images as volumes of one plane. */
function volumes(x: Tensor): Tensor {
  return x.rank === 5 ? x : view(x, [x.shape[0], 1, ...x.shape.slice(1)]);
}
