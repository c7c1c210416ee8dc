import type { RefinementModelConfiguration } from '../../configs/schema/model.js';
import {
  keepTogether,
  meanAndVariance,
  multiply,
  reshape,
  rematerialize,
  tf,
  tidy,
  weightedMeanAndVariance,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '../../tensor/index.js';
import { toSamplingCoordinates, type CameraPoints, type ProjectionCameras } from './projection.js';
import { sampleViews } from './sampling.js';
import { homogeneousOffsets, type VoxelGrid } from './voxelGrid.js';

type Fusion = RefinementModelConfiguration['fusion'];

/**
 * What a chunk of l vertices of one sample brings along, as one list of tensors: a rematerialised function gets it as
 * arguments.
 */
export interface LocalSamples {
  /** Feature maps of the sample's views, with a frame of zeros. `[V, H + 2, W + 2, F]` */
  readonly framed: Tensor4D;
  /** `[1, V, 3, 4]`, `[1, V, 6]`, `[1, V, 2]` */
  readonly cameras: ProjectionCameras;
  /** [rotation | vertex]: where each vertex's grid lies, mm. `[l, 3, 4]` */
  readonly placements: Tensor3D;
  /** Normals of the coarse mesh, unit length. `[l, 3]` */
  readonly normals: Tensor2D;
  /** After the sigmoid. `[V, l]` */
  readonly visibility: Tensor2D;
}

/**
 * Samples the local grids of a chunk of vertices and fuses the views by how well each sees the surface (method 3.4).
 * Differentiable by the features.
 *
 * @param keep its intermediates (all views at all voxels) are kept for the backward pass, not computed again there.
 * @param fusion `mean`: all views alike instead, by mean and unbiased variance, as the coarse model does (method 2.3).
 * @returns weighted means, then variances. `[l, n, 2F]`, n voxels a grid
 */
export function sampleLocalGrids(samples: LocalSamples, grid: VoxelGrid, fusion: Fusion, keep: boolean): Tensor3D {
  const { framed, cameras, placements, normals, visibility } = samples;
  const { extrinsics, toSampling, distortions } = cameras;
  const inputs = [framed, extrinsics, toSampling, distortions, placements, normals, visibility];
  const [fused] = (keep ? keepTogether : rematerialize)(
    (framed, extrinsics, toSampling, distortions, placements, normals, visibility) => {
      const cameras = { extrinsics, toSampling, distortions } as ProjectionCameras;
      const chunk = { framed, cameras, placements, normals, visibility } as LocalSamples;
      return [fuse(chunk, grid, fusion)] as const;
    },
    inputs,
    'sampleLocalGrids',
  );
  return fused;
}

function fuse(samples: LocalSamples, grid: VoxelGrid, fusion: Fusion): Tensor3D {
  const { framed, cameras, placements, normals, visibility } = samples;
  const vertices = placements.shape[0];
  const [, views] = cameras.extrinsics.shape;
  const n = grid.side ** 3;
  const points = localPoints(cameras.extrinsics, placements, grid);
  if (fusion === 'mean') {
    const { y, x } = toSamplingCoordinates(points, cameras);
    return reshape(meanAndVariance(sampleViews(framed, y, x)), [vertices, n, -1]);
  }
  const { sampled, weights } = tidy(() => {
    const { y, x } = toSamplingCoordinates(points, cameras);
    const [, height, width] = framed.shape;
    return {
      sampled: sampleViews(framed, y, x),
      weights: viewWeights(points, cameras.extrinsics, normals, visibility, insideImages(y, x, height - 2, width - 2)),
    };
  });
  const flat = reshape<Tensor3D>(sampled, [views, vertices * n, framed.shape[3]]);
  return reshape(weightedMeanAndVariance(flat, reshape(weights, [views, vertices * n])), [vertices, n, -1]);
}

/** Camera coordinates of all voxels of all grids; P = l·n points. `[1, V, P]` each */
function localPoints(extrinsics: Tensor4D, placements: Tensor3D, grid: VoxelGrid): CameraPoints {
  return tidy(() => {
    const vertices = placements.shape[0];
    const [, views] = extrinsics.shape;
    const offsets = homogeneousOffsets(grid);
    // Each view times each vertex, as toCameras does for one grid a sample.
    const [linear, centre] = tf.split(placements, [3, 1], 2) as [Tensor3D, Tensor3D];
    const columns = (part: Tensor3D): Tensor2D => reshape(tf.transpose(part, [1, 0, 2]), [3, -1]);
    const rotations = reshape<Tensor2D>(tf.slice(extrinsics, [0, 0, 0, 0], [1, views, 3, 3]), [views * 3, 3]);
    const translations = tf.slice(extrinsics, [0, 0, 0, 3], [1, views, 3, 1]).reshape([views * 3, 1, 1]);
    const turned = reshape<Tensor3D>(multiply(rotations, columns(linear)), [views * 3, vertices, 3]);
    const moved = tf.add(
      reshape<Tensor3D>(multiply(rotations, columns(centre)), [views * 3, vertices, 1]),
      translations,
    );
    const composed = reshape<Tensor4D>(tf.concat([turned, moved], 2), [views, 3, vertices, 4]);
    const [x, y, z] = tf.unstack(composed, 1) as [Tensor3D, Tensor3D, Tensor3D];
    const voxels = (row: Tensor3D): Tensor3D =>
      reshape(multiply(reshape(row, [views * vertices, 4]), offsets), [1, views, -1]);
    return { x: voxels(x), y: voxels(y), z: voxels(z) };
  });
}

/** 1 where a point falls between the first and the last pixel centre of its view, else 0. `[1, V, P]` */
function insideImages(y: Tensor3D, x: Tensor3D, height: number, width: number): Tensor3D {
  // |u| ≤ 1 in sampling coordinates, see projectionCameras: from 0.5/(W + 1) to (W + 0.5)/(W + 1).
  const inside = (coordinate: Tensor3D, size: number): Tensor3D =>
    tf.lessEqual(tf.abs(tf.sub(coordinate, 0.5)), (0.5 * size) / (size + 1));
  return tf.cast(tf.logicalAnd(inside(y, height), inside(x, width)), 'float32');
}

const steepness = 50;
/** β·x above which softplus is linear. */
const linearAbove = 5;

/**
 * Weights of the views at each voxel (method 3.4): visibility · max(0, −cos(view direction, normal)) · inside; softplus with
 * β = 50; normalised to sum 1 over views.
 *
 * The angle is the same in camera coordinates, where the view direction is the voxel's own.
 *
 * @returns `[V, P]`
 */
function viewWeights(
  points: CameraPoints,
  extrinsics: Tensor4D,
  normals: Tensor2D,
  visibility: Tensor2D,
  inside: Tensor3D,
): Tensor2D {
  const [, views] = extrinsics.shape;
  const [vertices] = normals.shape;
  const n = points.x.shape[2] / vertices;
  const rotations = reshape<Tensor2D>(tf.slice(extrinsics, [0, 0, 0, 0], [1, views, 3, 3]), [views * 3, 3]);
  const turned = reshape<Tensor4D>(multiply(rotations, normals, false, true), [views, 3, vertices, 1]);
  const [nx, ny, nz] = tf.unstack(turned, 1) as [Tensor, Tensor, Tensor];
  const { x, y, z } = points;
  const byVertex = (a: Tensor): Tensor => reshape(a, [views, vertices, n]);
  const along = tf.add(tf.add(tf.mul(byVertex(x), nx), tf.mul(byVertex(y), ny)), tf.mul(byVertex(z), nz));
  const squaredLength = tf.add(tf.add(tf.square(x), tf.square(y)), tf.square(z));
  const length = tf.maximum(tf.sqrt(byVertex(squaredLength)), 1e-12);
  const facing = tf.relu(tf.neg(tf.div(along, length)));
  const raw = tf.mul(tf.mul(facing, reshape(visibility, [views, vertices, 1])), byVertex(inside));
  const scaled = tf.mul(raw, steepness);
  const soft = tf.where(tf.greater(scaled, linearAbove), raw, tf.div(tf.softplus(scaled), steepness));
  return reshape(tf.div(soft, tf.sum(soft, 0, true)), [views, vertices * n]);
}
