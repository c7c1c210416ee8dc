import { globalNorm, scaled } from '../../tensor/norms.js';
import type { Tensor } from '../../tensor/index.js';

/**
 * Clips gradients by their global norm, as PyTorch's `clip_grad_norm_` does: all are multiplied by
 * limit / (norm + 1e-6) where that is below 1.
 *
 * @param gradients by parameter name. They stay the caller's.
 * @param limit the largest norm; null only measures it.
 * @returns the norm before clipping (not finite where a gradient is not), and the gradients to use: new tensors of the
 *   current scope where they were clipped, else the given ones.
 */
export function clipByGlobalNorm(
  gradients: Readonly<Record<string, Tensor>>,
  limit: number | null,
): { readonly norm: number; readonly gradients: Readonly<Record<string, Tensor>> } {
  const norm = globalNorm(Object.values(gradients));
  if (limit === null || !(norm + 1e-6 > limit)) return { norm, gradients };
  const factor = limit / (norm + 1e-6);
  const entries = Object.entries(gradients).map(([name, gradient]) => [name, scaled(gradient, factor)] as const);
  return { norm, gradients: Object.fromEntries(entries) };
}
