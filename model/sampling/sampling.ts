import {
  meanAndVariance,
  reshape,
  sampleBilinear,
  tf,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '../../tensor/index.js';
import { toCameras, toSamplingCoordinates, type ProjectionCameras } from './projection.js';
import { homogeneousOffsets, placementMatrix, type GridPlacement, type VoxelGrid } from './voxelGrid.js';

/**
 * Samples a placed grid (method 2.3): projects every voxel into every view, samples the feature maps bilinearly with zero
 * padding, and fuses over views by mean and unbiased variance. Differentiable by features and placement.
 *
 * @param framed feature maps with a frame of zeros (`frameByZeros`). `[B·V, H + 2, W + 2, F]`
 * @returns the means, then the variances. `[B, N, 2F]`
 * @throws Error for fewer than two views: the published variance would be NaN.
 */
export function sampleGrid(
  framed: Tensor4D,
  cameras: ProjectionCameras,
  placement: GridPlacement,
  grid: VoxelGrid,
): Tensor3D {
  return tf.tidy(() => {
    const points = toCameras(cameras.extrinsics, placementMatrix(placement), homogeneousOffsets(grid));
    const { y, x } = toSamplingCoordinates(points, cameras);
    return meanAndVariance(sampleViews(framed, y, x));
  });
}

/** Samples all views at their own points. @param y @param x `[B, V, P]` @returns `[B, V, P, F]` */
export function sampleViews(framed: Tensor4D, y: Tensor3D, x: Tensor3D): Tensor4D {
  const [batch, views, points] = y.shape;
  const boxes = reshape<Tensor2D>(tf.stack([y, x, y, x], 3), [-1, 4]);
  const sampled = sampleBilinear(framed, boxes, imageIndices(batch * views, points));
  return reshape(sampled, [batch, views, points, framed.shape[3]]);
}

let lastIndices: { readonly images: number; readonly points: number; readonly tensor: Tensor } | undefined;

/** 0 … 0 1 … 1 …, each `points` times, int32; the last one asked for is kept. `[images · points]` */
function imageIndices(images: number, points: number): Tensor {
  if (lastIndices?.images !== images || lastIndices.points !== points) {
    lastIndices?.tensor.dispose();
    const indices = new Int32Array(images * points);
    for (let image = 1; image < images; image++) indices.fill(image, image * points, (image + 1) * points);
    lastIndices = { images, points, tensor: tf.keep(tf.tensor1d(indices, 'int32')) };
  }
  return lastIndices.tensor;
}
