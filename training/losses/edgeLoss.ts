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
  const count = (prediction.length / vertexCount) * weights.length;
  // Many edges meet in a vertex: summed in float64.
  const gradient = new Float64Array(prediction.length);
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
        gradient[to + axis]! += slope;
        gradient[from + axis]! -= slope;
      }
    }
  }
  return { loss: sum / count, gradient: Float32Array.from(gradient) };
}
