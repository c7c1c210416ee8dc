import {
  meanAndVariance,
  reshape,
  samplePoints,
  tf,
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
  const ofImages = (coordinates: Tensor3D): Tensor2D => reshape(coordinates, [batch * views, points]);
  return reshape(samplePoints(framed, ofImages(y), ofImages(x)), [batch, views, points, framed.shape[3]]);
}
