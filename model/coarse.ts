import type { CoarseModelConfiguration } from '../configs/schema/model.js';
import {
  frameByZeros,
  inPhase,
  multiply,
  reshape,
  softmaxExpectation,
  tf,
  tidy,
  type Rank,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
} from '../tensor/index.js';
import { featureNet } from './blocks/featureNet.js';
import { localise, type Localisation } from './blocks/localiser.js';
import { automaticMemorySettings } from './memorySettings.js';
import type { NetworkPart } from './parameters/parts.js';
import { Pass } from './pass.js';
import { projectionCameras } from './sampling/projection.js';
import { sampleGrid } from './sampling/sampling.js';
import type { MemorySettings, Mode, ModelState, StatisticsUpdate, ViewTensors } from './types.js';
import { v2v } from './blocks/v2v.js';
import { gridOffsets, place, type GridPlacement, type VoxelGrid } from './sampling/voxelGrid.js';

export interface CoarseOptions {
  readonly configuration: CoarseModelConfiguration;
  readonly mode: Mode;
  /** Rotation of each sample's grid, random in training; the identity where it is left out. `[B, 3, 3]` */
  readonly rotations?: Tensor3D;
  /** Parts that are not trained. */
  readonly frozen?: readonly NetworkPart[];
  /** What is left out follows from the sizes. */
  readonly memory?: Partial<MemorySettings>;
}

/** All tensors belong to the caller (or the surrounding tidy), but for `statistics` (see StatisticsUpdate). */
export interface CoarseOutput {
  /** World, mm. `[B, L, 3]` */
  readonly vertices: Tensor3D;
  /** Where the localiser believes the head to be: the transformed grid. */
  readonly placement: GridPlacement;
  /** `[B, 3]` */
  readonly scales: Tensor2D;
  readonly statistics: StatisticsUpdate;
}

/** What lies between input and output of the coarse model; for tests. */
export interface CoarseIntermediates extends CoarseOutput {
  /** `[B·V, H, W, F]` */
  readonly features: Tensor4D;
  readonly firstPlacement: GridPlacement;
  /** Features on the first and on the transformed grid: the same without a localiser. `[B, N, 2F]` */
  readonly sampled: readonly [Tensor3D, Tensor3D];
  /** null without a localiser. */
  readonly localisation: Localisation | null;
  /** Before the output layer. `[B, D, D, D, C]` */
  readonly back: Tensor5D;
}

const outputLayer = 'sparse_point_net.global_net.output_layer';

/**
 * Coarse model (method 2): images of calibrated views → vertices of the head.
 *
 * A pure function of its arguments; differentiable by parameters, images and cameras.
 *
 * @param state see parameterLayout.ts (`coarseLayout`).
 * @throws Error for fewer than two views (the variance over views divides by V − 1), and in training mode where a layer
 *   sees a single value a channel (a batch of one whose deepest level has one voxel).
 */
export function coarseForward(state: ModelState, views: ViewTensors, options: CoarseOptions): CoarseOutput {
  return tidy(() => {
    const { vertices, placement, scales, statistics } = coarseIntermediates(state, views, options);
    return { vertices, placement, scales, statistics };
  });
}

/** {@link coarseForward} with everything on the way, which it keeps in memory: for tests. */
export function coarseIntermediates(
  state: ModelState,
  views: ViewTensors,
  options: CoarseOptions,
): CoarseIntermediates {
  const { configuration, mode } = options;
  const [batch, viewCount, height, width] = views.images.shape;
  requireTwoViews(viewCount);
  const vertexCount = state.parameters[`${outputLayer}.weight`]?.shape.at(-1);
  const memory = {
    ...automaticMemorySettings('coarse', views.images.shape, configuration, vertexCount),
    ...options.memory,
  };
  const pass = Pass.of(state, mode, memory, options.frozen);
  const network = pass.within('sparse_point_net');
  const grid: VoxelGrid = { side: configuration.gridSide, spacing: configuration.gridSpacing };
  const volume = (fused: Tensor3D): Tensor5D => reshape(fused, [batch, grid.side, grid.side, grid.side, -1]);

  const features = inPhase('feature net', () =>
    featureNet(pass.within('feature_net.model'), views.images, configuration.featureNet),
  );
  const framed = frameByZeros(features);
  const cameras = projectionCameras(views, height, width);

  const rotations = options.rotations ?? tf.tile(tf.expandDims(tf.eye(3)), [batch, 1, 1]);
  const firstPlacement = { linear: rotations, centre: origin(configuration, batch) };
  const first = inPhase('sampling', () => sampleGrid(framed, cameras, firstPlacement, grid));
  const localisation =
    configuration.localiser.enabled === false
      ? null
      : inPhase('localiser', () => localise(network.within('grid_refiner'), volume(first), configuration.localiser));
  const placement = localisation === null ? firstPlacement : transformedPlacement(firstPlacement, localisation, grid);
  const second =
    localisation === null ? first : inPhase('sampling', () => sampleGrid(framed, cameras, placement, grid));

  const globalNet = network.within('global_net');
  const back = inPhase('V2V', () => v2v(globalNet, volume(second), configuration.v2v));
  const vertices = inPhase('head', () => coarseVertices(globalNet, back, placement, grid));
  return {
    vertices,
    placement,
    scales: localisation?.scales ?? tf.ones<Rank.R2>([batch, 3]),
    statistics: pass.statistics,
    features,
    firstPlacement,
    sampled: [first, second],
    localisation,
    back,
  };
}

function origin({ gridOrigin }: CoarseModelConfiguration, batch: number): Tensor3D {
  return tf.tile(tf.tensor3d([...gridOrigin], [1, 3, 1]), [batch, 1, 1]);
}

/**
 * The localiser speaks of the grid before its random rotation: its offsets, with that rotation R undone, are
 * transformed by A and t, rotated again, and put at the origin: position = R·A·offset + R·t + origin.
 */
function transformedPlacement(
  first: GridPlacement,
  { linear, translation }: Localisation,
  grid: VoxelGrid,
): GridPlacement {
  const halfExtent = 0.5 * (grid.side - 1) * grid.spacing;
  const shift = tf.mul(tf.expandDims(translation, 2), halfExtent);
  return {
    linear: multiply(first.linear, linear) as Tensor3D,
    centre: tf.add(multiply(first.linear, shift), first.centre),
  };
}

/**
 * Softmax over the voxels of each vertex's channel, and the expectation of the transformed grid's positions (method 2.6).
 * The expectation of the offsets is placed instead, which is the same and leaves the offsets constant. The output
 * layer's bias adds the same number to all voxels of a channel: the softmax takes it away.
 */
function coarseVertices(globalNet: Pass, back: Tensor5D, placement: GridPlacement, grid: VoxelGrid): Tensor3D {
  const weight = globalNet.parameter<Tensor5D>('output_layer.weight');
  const [batch, , , , channels] = back.shape;
  const keys = reshape<Tensor3D>(back, [batch, -1, channels]);
  const queries = reshape<Tensor2D>(weight, [channels, -1]);
  return place(
    placement,
    softmaxExpectation(keys, queries, gridOffsets(grid), globalNet.chunkBytes, globalNet.keepSoftmax),
  );
}

/** @throws Error for fewer than two views. */
export function requireTwoViews(views: number): void {
  if (views >= 2) return;
  throw new Error(`${views} view was given; the networks fuse views by their variance, which needs two or more`);
}
