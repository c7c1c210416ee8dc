import { multiply, reshape, tf, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '../../tensor/index.js';
import type { ViewTensors } from '../types.js';

/** Below this depth a division by z is left out (method 2.3). */
const leastDepth = 1e-7;

/** Cameras of a batch, ready to project. */
export interface ProjectionCameras {
  /** World → camera. `[B, V, 3, 4]` */
  readonly extrinsics: Tensor4D;
  /**
   * Intrinsics that end in sampling coordinates rather than pixels, one column each of the six numbers in
   * y = k₀ u + k₁ v + k₂, x = k₃ u + k₄ v + k₅. `[B, V, 6]`
   */
  readonly toSampling: Tensor3D;
  /** `[B, V, 2]` */
  readonly distortions: Tensor3D;
}

/**
 * Folds what follows the intrinsics into them (method 2.3): pixel x (0 … W − 1) is normalised by 2x/(W−1) − 1, read in the
 * align_corners = false convention, ((u+1) W − 1)/2, that is x W/(W−1) − 1/2; `sampleBilinear` wants (· + 1)/(W + 1).
 */
export function projectionCameras(
  { intrinsics, extrinsics, distortions }: Pick<ViewTensors, 'intrinsics' | 'extrinsics' | 'distortions'>,
  height: number,
  width: number,
): ProjectionCameras {
  return tf.tidy(() => {
    const [batch, views] = intrinsics.shape;
    const row = (axis: number, size: number): Tensor => {
      const numbers = tf.slice(intrinsics, [0, 0, axis, 0], [batch, views, 1, 3]).reshape([batch, views, 3]);
      const scale = size / ((size - 1) * (size + 1));
      return tf.add(tf.mul(numbers, scale), tf.tensor1d([0, 0, 0.5 / (size + 1)]));
    };
    const toSampling = tf.concat([row(1, height), row(0, width)], 2) as Tensor3D;
    return { extrinsics, toSampling, distortions };
  });
}

/** Camera coordinates, mm, each `[B, V, P]`. */
export interface CameraPoints {
  readonly x: Tensor3D;
  readonly y: Tensor3D;
  readonly z: Tensor3D;
}

/**
 * Camera coordinates of placed offsets. Placement and extrinsics are multiplied first, so that a grid of N voxels costs
 * one small product a view, and its world positions never exist.
 *
 * @param extrinsics `[B, V, 3, 4]` @param placement `[B, 3, 4]` @param offsets homogeneous. `[4, N]`
 */
export function toCameras(extrinsics: Tensor4D, placement: Tensor3D, offsets: Tensor2D): CameraPoints {
  const [batch, views] = extrinsics.shape;
  const n = offsets.shape[1];
  const rotations = tf.slice(extrinsics, [0, 0, 0, 0], [batch, views, 3, 3]).reshape([batch, views * 3, 3]);
  const translations = tf.slice(extrinsics, [0, 0, 0, 3], [batch, views, 3, 1]).reshape([batch, views * 3, 1]);
  // Not `zeros`, whose numbers would come from the host: a recorded step takes few such.
  const zeros = tf.zerosLike(rotations);
  const composed = tf.add(multiply(rotations, placement), tf.concat([zeros, translations], 2));
  const [x, y, z] = tf.unstack(reshape(composed, [batch, views, 3, 4]), 2);
  const rows = (row: Tensor): Tensor3D => {
    return reshape(multiply(reshape(row, [batch * views, 4]), offsets), [batch, views, n]);
  };
  return { x: rows(x!), y: rows(y!), z: rows(z!) };
}

/**
 * Where camera points fall in the images, as `sampleBilinear` wants it: division by z (by 1 where |z| < 1e-7), radial
 * distortion 1 + k₁ r² + k₂ r⁴, intrinsics.
 *
 * @returns sampling coordinates y and x, each `[B, V, P]`
 */
export function toSamplingCoordinates(
  points: CameraPoints,
  { toSampling, distortions }: Pick<ProjectionCameras, 'toSampling' | 'distortions'>,
): { readonly y: Tensor3D; readonly x: Tensor3D } {
  const depth = tf.where(tf.less(tf.abs(points.z), leastDepth), tf.onesLike(points.z), points.z);
  const u = tf.div(points.x, depth);
  const v = tf.div(points.y, depth);
  const [k1, k2] = tf.split(distortions, 2, 2);
  const r2 = tf.add(tf.square(u), tf.square(v));
  const factor = tf.add(tf.mul(tf.add(tf.mul(r2, k2!), k1!), r2), 1);
  const distortedU = tf.mul(u, factor);
  const distortedV = tf.mul(v, factor);
  const k = tf.split(toSampling, 6, 2);
  const axis = (first: number): Tensor3D => {
    const linear = tf.add(tf.mul(distortedU, k[first]!), tf.mul(distortedV, k[first + 1]!));
    return tf.add(linear, k[first + 2]!);
  };
  return { y: axis(0), x: axis(3) };
}
