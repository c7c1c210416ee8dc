import type * as tf from '@tensorflow/tfjs-node-gpu';

/**
 * Legend of shapes: B batch, V views, L vertices, F feature channels, D voxels along a grid's side, H and W pixels.
 * Positions are millimetres in the world.
 */

/** What every network sees of the views. Whoever makes it owns its tensors. */
export interface ViewTensors {
  /** ImageNet-normalised. `[B, V, H, W, 3]` */
  readonly images: tf.Tensor5D;
  /** px. `[B, V, 3, 3]` */
  readonly intrinsics: tf.Tensor4D;
  /** World → camera, mm. `[B, V, 3, 4]` */
  readonly extrinsics: tf.Tensor4D;
  /** Forward radial coefficients. `[B, V, 2]` */
  readonly distortions: tf.Tensor3D;
}

/**
 * A network's numbers under their published state-dict names, in our layouts (channels last; see parameterLayout).
 * Parameters are trained; buffers are BatchNorm's running statistics.
 */
export interface ModelState {
  readonly parameters: Readonly<Record<string, tf.Variable>>;
  readonly buffers: Readonly<Record<string, tf.Variable>>;
}
