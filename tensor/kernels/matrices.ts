import { attribute, executeOne, float32, type Attribute } from '../engine/engine.js';
import { countOperations } from '../engine/phases.js';
import { record } from '../gradients/recording.js';
import type { Tensor } from '../tensorflow.js';

/** The operations' attributes for each of the four ways to transpose. */
function ways(left: string, right: string): Attribute[][] {
  return [0, 1, 2, 3].map((way) => [
    float32,
    attribute.flag(left, (way & 2) !== 0),
    attribute.flag(right, (way & 1) !== 0),
  ]);
}
const plain = ways('transpose_a', 'transpose_b');
const batched = ways('adj_x', 'adj_y');

/** As {@link multiply}, for use inside of a kernel: neither recorded nor counted. */
export function product(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const way = (transposeA ? 2 : 0) + (transposeB ? 1 : 0);
  if (a.rank === 2 && b.rank === 2) return executeOne('MatMul', plain[way]!, [a, b]);
  return executeOne('BatchMatMulV2', batched[way]!, [a, b]);
}

/**
 * Matrix product A·B, of matrices or of stacks of them. Batch axes must agree, or be absent on one side.
 *
 * @param a `[…, M, K]` (`[…, K, M]` if transposed) @param b `[…, K, N]` (`[…, N, K]`) @returns `[…, M, N]`
 */
export function multiply(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const y = product(a, b, transposeA, transposeB);
  const count = 2 * y.size * a.shape[a.rank - (transposeA ? 2 : 1)]!;
  countOperations(count);
  record('Multiply', [a, b], [y], [a, b], ([dy], [a, b], needed) => {
    countOperations(count * needed.filter(Boolean).length);
    const da = (): Tensor => (transposeA ? product(b!, dy!, transposeB, true) : product(dy!, b!, false, !transposeB));
    const db = (): Tensor => (transposeB ? product(dy!, a!, true, transposeA) : product(a!, dy!, !transposeA, false));
    return [needed[0] ? overBatch(da(), a!) : null, needed[1] ? overBatch(db(), b!) : null];
  });
  return y;
}

/** Sums a gradient over the batch axes that its operand did not have. */
function overBatch(gradient: Tensor, operand: Tensor): Tensor {
  if (gradient.rank === operand.rank) return gradient;
  const axes = Array.from({ length: gradient.rank - operand.rank }, (_, i) => i);
  return gradient.sum(axes);
}
