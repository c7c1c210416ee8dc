import { execute } from '../engine/engine.js';
import { vectorsInUse } from '../engine/ownKernels.js';
import { countOperations } from '../engine/phases.js';
import { record } from '../gradients/recording.js';
import type { Tensor2D, Tensor3D } from '../tensorflow.js';

/** Of the operations that `infra/setup/binding/softmax_expectation.cc` adds to TensorFlow. */
const mostComponents = 3;

/** Whether {@link tiledSoftmaxExpectation} is there for such values. */
export function tilesFit(values: Tensor2D): boolean {
  return vectorsInUse() !== 'none' && values.shape[1] <= mostComponents;
}

/** With AVX-512 logits are computed again as fast as they are read. */
export const logitsAreWorthKeeping = (): boolean => vectorsInUse() === 'avx2';

/**
 * `softmaxExpectation` by a kernel of our own: tile by tile, with the largest logit of each query so far as the shift
 * (so that none is lost, however far they are apart), and nothing of N by L numbers in memory but logits that are kept. The
 * bits depend on sizes and numbers alone, not on threads, nor on which vectors the processor has.
 *
 * @param keep whether the gradients read the logits again, which are `[B, N, L]`, or compute them tile by tile.
 */
export function tiledSoftmaxExpectation(keys: Tensor3D, queries: Tensor2D, values: Tensor2D, keep: boolean): Tensor3D {
  const [samples, n, channels] = keys.shape;
  const components = values.shape[1];
  const pairs = samples * n * queries.shape[1];
  countOperations(2 * pairs * (channels + components));
  const name = keep ? 'TempehKeptSoftmaxExpectation' : 'TempehSoftmaxExpectation';
  const [y, ...forGradients] = execute(name, [], [keys, queries, values], keep ? 4 : 3);
  const saving = [keys, queries, values, y!, ...forGradients];
  record('SoftmaxExpectation', [keys, queries], [y!], saving, ([dy], saved) => {
    countOperations(2 * pairs * (2 * channels + components));
    return execute(`${name}Grad`, [], [...saved, dy!], 2);
  });
  for (const tensor of forGradients) tensor.dispose();
  return y as Tensor3D;
}
