import type { Batch } from '../../datasets/types.js';
import type { NetworkPart } from '../../model/parameters/parts.js';
import type { Mode, ModelState, StatisticsUpdate } from '../../model/types.js';
import type { Tensor, Tensor3D } from '../../tensor/index.js';

/** A batch on the device. */
export interface PreparedBatch {
  /** All that is the batch's own, in an order that does not change; the surrounding tidy's. */
  readonly tensors: readonly Tensor[];
  /**
   * Predicts it. In training mode the running statistics of the batch are reported, in evaluation mode none.
   *
   * @returns vertices in mm, `[B, L, 3]`; the surrounding tidy's.
   */
  forward(): { readonly vertices: Tensor3D; readonly statistics: StatisticsUpdate };
}

/** The network of a stage, as the loop sees it: coarse or refinement makes no difference there. */
export interface StageNetwork {
  readonly state: ModelState;
  /** Parts that are not trained; none if absent. */
  readonly frozen?: readonly NetworkPart[];
  /** Brings a batch to the device. In training mode the grids have the random rotations of the batch's step. */
  prepare(batch: Batch, mode: Mode): PreparedBatch;
}
