/** A loss and its gradient by the prediction, in the prediction's order. */
export interface LossWithGradient {
  readonly loss: number;
  readonly gradient: Float32Array;
}

/**
 * Points loss (method 4): MSE of w_v · prediction and w_v · registration over all numbers.
 *
 * @param prediction `[B, L, 3]`, mm. @param registration `[B, L, 3]`, mm. @param weights `[L]`.
 */
export function pointLoss(
  prediction: Float32Array,
  registration: Float32Array,
  weights: Float32Array,
): LossWithGradient {
  const gradient = new Float32Array(prediction.length);
  const perVertex = 3 * weights.length;
  let sum = 0;
  for (let i = 0; i < prediction.length; i++) {
    const weight = weights[Math.floor((i % perVertex) / 3)]!;
    const residual = weight * (prediction[i]! - registration[i]!);
    sum += residual * residual;
    gradient[i] = (2 * weight * residual) / prediction.length;
  }
  return { loss: sum / prediction.length, gradient };
}
