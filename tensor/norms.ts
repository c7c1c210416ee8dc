import { attribute, executeOne, float32 } from './engine.js';
import { tf, type Tensor } from './tensorflow.js';

/**
 * √ of the sum of all squares of all tensors; one read-back. NaN or Infinity where a value is not finite, 0 for none.
 */
export function globalNorm(tensors: readonly Tensor[]): number {
  if (tensors.length === 0) return 0;
  const halves = tf.tidy(() => {
    const each = tensors.map((tensor) => executeOne('L2Loss', [float32], [tensor]));
    const pack = [float32, attribute.integer('N', each.length), attribute.integer('axis', 0)];
    return executeOne('Pack', pack, each).dataSync<'float32'>();
  });
  let sum = 0;
  for (const half of halves) sum += 2 * half;
  return Math.sqrt(sum);
}

/** A tensor times a number; not differentiable. @returns a tensor of the current scope. */
export function scaled(tensor: Tensor, factor: number): Tensor {
  const scalar = tf.scalar(factor);
  const product = executeOne('Mul', [float32], [tensor, scalar]);
  scalar.dispose();
  return product;
}
