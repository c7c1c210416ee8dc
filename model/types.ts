import type { Tensor, Tensor3D, Tensor4D, Tensor5D, Variable } from '../tensor/tensorflow.js';

/**
 * Legend of shapes: B batch, V views, L vertices, F feature channels, D voxels along a grid's side, N = D³ voxels,
 * H and W pixels. Positions are millimetres in the world. Arrays of voxels are in row-major order of (x, y, z).
 */

/** What every network sees of the views. Whoever makes it owns its tensors. */
export interface ViewTensors {
  /** ImageNet-normalised. `[B, V, H, W, 3]` */
  readonly images: Tensor5D;
  /** px. `[B, V, 3, 3]` */
  readonly intrinsics: Tensor4D;
  /** World → camera, mm. `[B, V, 3, 4]` */
  readonly extrinsics: Tensor4D;
  /** Forward radial coefficients. `[B, V, 2]` */
  readonly distortions: Tensor3D;
}

/**
 * A network's numbers under their published state-dict names, in our layouts (channels last; see parameterLayout.ts).
 * Parameters are trained; buffers are BatchNorm's running statistics and counts of batches (`num_batches_tracked`,
 * int32, no axes).
 */
export interface ModelState {
  readonly parameters: Readonly<Record<string, Variable>>;
  readonly buffers: Readonly<Record<string, Variable>>;
}

/**
 * How a network runs. `training` normalises by the batch's statistics and reports the new running ones;
 * `evaluation` normalises by the running statistics. Gradients are available in both.
 */
export type Mode = 'training' | 'evaluation';

/**
 * New values of running statistics by buffer name, to be assigned once the step counts.
 * They are kept, that is not subject to `tidy`: `disposeStatistics` frees them.
 */
export type StatisticsUpdate = Readonly<Record<string, Tensor>>;

/** Memory against time. The defaults follow from the sizes and the device (see automaticMemorySettings). */
export interface MemorySettings {
  /** Blocks of the networks are computed again in the backward pass instead of being kept. */
  readonly rematerialize: boolean;
  /**
   * With `rematerialize`: groups of blocks too. What lies between their blocks is not kept either, and they are computed
   * once more.
   */
  readonly groups: boolean;
  /** With `rematerialize`: blocks whose input takes no more bytes are kept all the same. */
  readonly keptInputBytes: number;
  /** The coarse model's softmax over voxels is kept for the backward pass, not computed again. */
  readonly keepSoftmax: boolean;
  /** What the refinement samples of all views, and its weights, are kept for the backward pass, not computed again. */
  readonly keepSamples: boolean;
  /** Bytes that one chunk of a chunked computation (sampling, softmax) may take. */
  readonly chunkBytes: number;
}
