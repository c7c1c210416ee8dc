import type { LossWithGradient } from './pointLoss.js';

/**
 * Edge regulariser (method 4): MSE of w_e · (edge vector) between prediction and registration.
 *
 * @param prediction `[B, L, 3]`, mm. @param registration `[B, L, 3]`, mm.
 * @param edges `[E, 2]`. @param weights `[E]`.
 * @param vertexCount L.
 */
export function edgeLoss(
  prediction: Float32Array,
  registration: Float32Array,
  edges: Uint32Array,
  weights: Float32Array,
  vertexCount: number,
): LossWithGradient {
  const gradient = new Float32Array(prediction.length);
  const sums = new Float64Array(prediction.length);
  return { loss: addEdgeLoss(prediction, registration, edges, weights, vertexCount, 1, gradient, sums), gradient };
}

/**
 * The loss, whose gradient is added to what there is, times a factor.
 *
 * @param sums `[B, L, 3]` for the gradient's own sums: many edges meet in a vertex, so they are made in float64.
 */
export function addEdgeLoss(
  prediction: Float32Array,
  registration: Float32Array,
  edges: Uint32Array,
  weights: Float32Array,
  vertexCount: number,
  factor: number,
  gradient: Float32Array,
  sums: Float64Array,
): number {
  const count = (prediction.length / vertexCount) * weights.length;
  sums.fill(0);
  let sum = 0;
  for (let sample = 0; sample < prediction.length; sample += 3 * vertexCount) {
    for (let edge = 0; edge < weights.length; edge++) {
      const weight = weights[edge]!;
      const from = sample + 3 * edges[2 * edge]!;
      const to = sample + 3 * edges[2 * edge + 1]!;
      for (let axis = 0; axis < 3; axis++) {
        const predicted = prediction[to + axis]! - prediction[from + axis]!;
        const residual = weight * (predicted - (registration[to + axis]! - registration[from + axis]!));
        sum += residual * residual;
        const slope = (2 * weight * residual) / count;
        sums[to + axis]! += slope;
        sums[from + axis]! -= slope;
      }
    }
  }
  for (let i = 0; i < prediction.length; i++) gradient[i]! += factor * Math.fround(sums[i]!);
  return sum / count;
}
