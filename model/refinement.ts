import type { RefinementModelConfiguration } from '../configs/schema/model.js';
import {
  expectationOfRows,
  frameByZeros,
  inPhase,
  joinBatch,
  multiply,
  reshape,
  splitBatch,
  tf,
  tidy,
  type Rank,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
} from '../tensor/index.js';
import { requireTwoViews } from './coarse.js';
import { featureNet } from './blocks/featureNet.js';
import { automaticMemorySettings } from './memorySettings.js';
import type { NetworkPart } from './parameters/parts.js';
import { Pass } from './pass.js';
import { projectionCameras, type ProjectionCameras } from './sampling/projection.js';
import { sampleLocalGrids } from './sampling/surfaceFusion.js';
import type { MemorySettings, Mode, ModelState, StatisticsUpdate, ViewTensors } from './types.js';
import { v2v } from './blocks/v2v.js';
import { gridOffsets, type VoxelGrid } from './sampling/voxelGrid.js';

/** What the refinement starts from. Whoever makes it owns its tensors; no gradient flows to them. */
export interface CoarseSurface {
  /** World, mm. `[B, L, 3]` */
  readonly vertices: Tensor3D;
  /** Vertex normals of the coarse mesh, unit length. `[B, L, 3]` */
  readonly normals: Tensor3D;
  /** After the sigmoid: 1 for vertices that a view sees, 0.5 for others (geometry/cameras/visibility.ts). `[B, V, L]` */
  readonly visibility: Tensor3D;
  /** Vertices of the template, mm. `[L, 3]` */
  readonly template: Tensor2D;
}

export interface RefinementOptions {
  readonly configuration: RefinementModelConfiguration;
  readonly mode: Mode;
  /** Rotation of each vertex's grid, random in training; the identity where it is left out. `[B, L, 3, 3]` */
  readonly rotations?: Tensor4D;
  /** Parts that are not trained. */
  readonly frozen?: readonly NetworkPart[];
  /** What is left out follows from the sizes. */
  readonly memory?: Partial<MemorySettings>;
}

/** All tensors belong to the caller (or the surrounding tidy), but for `statistics` (see StatisticsUpdate). */
export interface RefinementOutput {
  /** World, mm. `[B, L, 3]` */
  readonly vertices: Tensor3D;
  readonly statistics: StatisticsUpdate;
}

/** What lies between input and output of the refinement; for tests. n voxels a local grid. */
export interface RefinementIntermediates extends RefinementOutput {
  /** `[B·V, H, W, F]` */
  readonly features: Tensor4D;
  /** `[B·L, d, d, d, 2F + 3]` */
  readonly volumes: Tensor5D;
  /** Without the output layer's bias, which the softmax takes away. `[B·L, n]` */
  readonly logits: Tensor2D;
  /** What is added to the coarse vertices, mm. `[B, L, 3]` */
  readonly offsets: Tensor3D;
}

/** The template's positions enter the network in units of 100 mm. */
const templateScale = 0.01;

/**
 * Refinement model (method 3): moves every coarse vertex within a small grid around it.
 *
 * A pure function of its arguments; differentiable by parameters and images.
 *
 * @param state see parameterLayout.ts (`refinementLayout`).
 * @throws Error for fewer than two views.
 */
export function refinementForward(
  state: ModelState,
  views: ViewTensors,
  surface: CoarseSurface,
  options: RefinementOptions,
): RefinementOutput {
  return tidy(() => {
    const { vertices, statistics } = refine(state, views, surface, options, false);
    return { vertices, statistics };
  });
}

/** {@link refinementForward} with everything on the way, which it keeps in memory: for tests. */
export function refinementIntermediates(
  state: ModelState,
  views: ViewTensors,
  surface: CoarseSurface,
  options: RefinementOptions,
): RefinementIntermediates {
  const found = refine(state, views, surface, options, true);
  return { ...found, volumes: found.volumes!, logits: found.logits! };
}

interface Refined extends RefinementOutput {
  readonly features: Tensor4D;
  readonly offsets: Tensor3D;
  readonly volumes?: Tensor5D;
  readonly logits?: Tensor2D;
}

function refine(
  state: ModelState,
  views: ViewTensors,
  surface: CoarseSurface,
  options: RefinementOptions,
  keep: boolean,
): Refined {
  const { configuration, mode } = options;
  const [batch, viewCount, height, width] = views.images.shape;
  const vertexCount = surface.vertices.shape[1];
  requireTwoViews(viewCount);
  const memory = {
    ...automaticMemorySettings('refinement', views.images.shape, configuration, vertexCount),
    ...options.memory,
  };
  const pass = Pass.of(state, mode, memory, options.frozen);
  const localNet = pass.within('local_densify_net.local_net');
  const grid: VoxelGrid = { side: configuration.gridSide, spacing: configuration.gridSpacing };
  const rotations = options.rotations ?? tf.tile(tf.eye(3).reshape([1, 1, 3, 3]), [batch, vertexCount, 1, 1]);

  const features = inPhase('feature net', () =>
    featureNet(pass.within('feature_net.model'), views.images, configuration.featureNet),
  );
  const cameras = projectionCameras(views, height, width);
  const chunk = verticesOfChunk(memory.chunkBytes, viewCount, configuration);
  const places = { surface, rotations, grid };
  const sampling = { chunk, keep: memory.keepSamples, fusion: configuration.fusion };
  const parts = localVolumes(frameByZeros(features), cameras, places, sampling);

  const expectation = (volumes: Tensor5D): { offsets: Tensor2D; volumes?: Tensor5D; logits?: Tensor2D } => {
    const back = inPhase('V2V', () => v2v(localNet, volumes, configuration.v2v));
    const { logits, offsets } = inPhase('head', () => {
      const logits = outputLayer(localNet, back);
      return { logits, offsets: expectationOfRows(logits, gridOffsets(grid)) };
    });
    return keep ? { offsets, volumes, logits } : { offsets };
  };
  // Training's statistics are those of all volumes together; in evaluation they do not depend on each other.
  const results =
    mode === 'training'
      ? [expectation(joinBatch(parts.map((part) => part())))]
      : parts.map((part) => tidy(() => expectation(part())));
  const offsets = turned(joinBatch(results.map((result) => result.offsets)), rotations);
  return {
    vertices: tf.add(surface.vertices, offsets),
    statistics: pass.statistics,
    features,
    offsets,
    ...(keep
      ? {
          volumes: joinBatch(results.map(({ volumes }) => volumes!)),
          logits: joinBatch(results.map(({ logits }) => logits!)),
        }
      : {}),
  };
}

/** As many as keep what is sampled of all views, and an array of the V2V network, within the memory of a chunk. */
function verticesOfChunk(chunkBytes: number, views: number, configuration: RefinementModelConfiguration): number {
  const { featureNet, gridSide, v2v } = configuration;
  const numbers = gridSide ** 3 * Math.max(views * featureNet.featureChannels, 2 * v2v.baseChannels);
  return Math.max(1, Math.floor(chunkBytes / (4 * numbers)));
}

interface LocalSampling {
  /** Vertices. */
  readonly chunk: number;
  readonly keep: boolean;
  readonly fusion: RefinementModelConfiguration['fusion'];
}

/**
 * The network's input, in chunks of vertices, samples one after the other: fused features around every vertex, and the
 * template's vertex, constant over the grid. `[l, d, d, d, 2F + 3]` each
 */
function localVolumes(
  framed: Tensor4D,
  cameras: ProjectionCameras,
  places: { readonly surface: CoarseSurface; readonly rotations: Tensor4D; readonly grid: VoxelGrid },
  { chunk, keep, fusion }: LocalSampling,
): (() => Tensor5D)[] {
  const { surface, rotations, grid } = places;
  const [batch, viewCount, vertexCount] = surface.visibility.shape;
  const placements = tf.concat<Tensor4D>([rotations, tf.expandDims(surface.vertices, 3)], 3);
  const template = tf.mul<Tensor2D>(surface.template, templateScale);
  const maps = splitBatch(framed, batch);
  return maps.flatMap((map, sample) => {
    const ofSample = <T extends Tensor>(x: T): T => sliceAxis(x, 0, sample, 1);
    const camerasOfSample = {
      extrinsics: ofSample(cameras.extrinsics),
      toSampling: ofSample(cameras.toSampling),
      distortions: ofSample(cameras.distortions),
    };
    return chunks(vertexCount, chunk).map(([from, size]) => () => {
      const rows = <T extends Tensor>(x: T, axis: number): T => sliceAxis(x, axis, from, size);
      const fused = inPhase('sampling', () =>
        sampleLocalGrids(
          {
            framed: map,
            cameras: camerasOfSample,
            placements: reshape(rows(ofSample(placements), 1), [size, 3, 4]),
            normals: reshape(rows(ofSample(surface.normals), 1), [size, 3]),
            visibility: reshape(rows(ofSample(surface.visibility), 2), [viewCount, size]),
          },
          grid,
          fusion,
          keep,
        ),
      );
      const position = tf.tile(tf.expandDims(rows(template, 0), 1), [1, grid.side ** 3, 1]);
      return reshape<Tensor5D>(tf.concat([fused, position], 2), [size, grid.side, grid.side, grid.side, -1]);
    });
  });
}

function sliceAxis<T extends Tensor>(x: T, axis: number, from: number, size: number): T {
  const begin = x.shape.map((_, i) => (i === axis ? from : 0));
  const sizes = x.shape.map((side, i) => (i === axis ? size : side));
  return tf.slice<Rank, T>(x, begin, sizes);
}

function chunks(total: number, size: number): [from: number, size: number][] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => [i * size, Math.min(size, total - i * size)]);
}

/** The output layer, a convolution 1³ to one channel; without its bias. `[M, d, d, d, C]` → `[M, n]` */
function outputLayer(localNet: Pass, back: Tensor5D): Tensor2D {
  const [volumes, , , , channels] = back.shape;
  const weight = reshape<Tensor2D>(localNet.parameter<Tensor5D>('output_layer.weight'), [channels, 1]);
  return reshape(multiply(reshape(back, [-1, channels]), weight), [volumes, -1]);
}

/** Each vertex's expected offset, turned with its grid: the same as the expectation of turned offsets (method 3.6). */
function turned(offsets: Tensor2D, rotations: Tensor4D): Tensor3D {
  const [batch, vertexCount] = rotations.shape;
  const columns = multiply(reshape(rotations, [batch * vertexCount, 3, 3]), reshape(offsets, [-1, 3, 1]));
  return reshape(columns, [batch, vertexCount, 3]);
}
