import { clippedByNorm } from '../../tensor/optimisation/norms.js';
import type { Tensor } from '../../tensor/index.js';

/**
 * Clips gradients by their global norm, as PyTorch's `clip_grad_norm_` does: all are multiplied by
 * limit / (norm + 1e-6) where that is below 1.
 *
 * @param gradients by parameter name, one at least. They stay the caller's.
 * @param limit the largest norm; null only measures it.
 * @returns the norm before clipping, `[]` (not finite where a gradient is not), whether it is finite, and the gradients to
 *   use, which are zero if it is not. Tensors of the current scope.
 */
export function clipByGlobalNorm(
  gradients: Readonly<Record<string, Tensor>>,
  limit: number | null,
): { readonly norm: Tensor; readonly isFinite: Tensor; readonly gradients: Readonly<Record<string, Tensor>> } {
  const names = Object.keys(gradients);
  const { norm, isFinite, clipped } = clippedByNorm(Object.values(gradients), limit);
  return { norm, isFinite, gradients: Object.fromEntries(names.map((name, i) => [name, clipped[i]!])) };
}
