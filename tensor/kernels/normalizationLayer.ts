import type { Tensor, Tensor1D } from '../tensorflow.js';

/** What one layer of batch normalisation holds. All `[C]`. */
export interface Normalization {
  readonly scale: Tensor1D;
  readonly offset: Tensor1D;
  readonly runningMean: Tensor1D;
  readonly runningVariance: Tensor1D;
  /**
   * Bias of the convolution before it, which need not be added: in training the batch's mean takes it away again (so
   * its gradient is zero), and otherwise it shifts the running mean.
   */
  readonly bias?: Tensor1D;
}

/** New running statistics, `[C]` each; the current scope's. */
export interface RunningStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export const batchNormalization = {
  /** What is added to variances. */
  epsilon: 1e-5,
  /** The share of a batch's statistics in the new running ones. */
  momentum: 0.1,
} as const;
