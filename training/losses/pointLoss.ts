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
  return { loss: addPointLoss(prediction, registration, weights, 1, gradient), gradient };
}

/** The loss, whose gradient is added to what there is, times a factor: in float32, as both are. */
export function addPointLoss(
  prediction: Float32Array,
  registration: Float32Array,
  weights: Float32Array,
  factor: number,
  gradient: Float32Array,
): number {
  const perVertex = 3 * weights.length;
  let sum = 0;
  for (let sample = 0; sample < prediction.length; sample += perVertex) {
    for (let vertex = 0; vertex < weights.length; vertex++) {
      const weight = weights[vertex]!;
      const at = sample + 3 * vertex;
      for (let i = at; i < at + 3; i++) {
        const residual = weight * (prediction[i]! - registration[i]!);
        sum += residual * residual;
        gradient[i]! += factor * Math.fround((2 * weight * residual) / prediction.length);
      }
    }
  }
  return sum / prediction.length;
}
