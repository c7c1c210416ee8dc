import type { Batch } from '../../datasets/types.js';
import type { Mode, ModelState, StatisticsUpdate, ViewTensors } from '../../model/types.js';
import type { Tensor3D } from '../../tensor/index.js';

/** The network of a stage, as the loop sees it: coarse or refinement makes no difference there. */
export interface StageNetwork {
  readonly state: ModelState;
  /**
   * Predicts a batch. In training mode the grids have the random rotations of the batch's step, and the running
   * statistics of the batch are reported; in evaluation mode neither.
   *
   * @param views - the batch's, on the device.
   * @returns vertices in mm, `[B, L, 3]`; the surrounding tidy's.
   */
  forward(
    views: ViewTensors,
    batch: Batch,
    mode: Mode,
  ): { readonly vertices: Tensor3D; readonly statistics: StatisticsUpdate };
}
