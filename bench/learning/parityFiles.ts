import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { encodeSafetensors, type NamedArrays } from '../../checkpoints/safetensors.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import { gridRotations } from '../../geometry/gridRotations.js';
import { uniqueEdges } from '../../geometry/mesh/topology.js';
import { toPublished, type TensorLayout } from '../../model/index.js';
import { edgeWeights, pointWeights } from '../../training/losses/regionWeights.js';
import type { StageData } from '../../training/loop/stageData.js';
import { scheduleFactor } from '../../training/optimisation/schedules.js';

/** Both stages of the method that are compared: coarse with both its losses, one after the other. */
export type ParityStage = 'coarse' | 'refinement';

/** The losses and rates of a step, as `bench/pytorch/train_batches.py` reads them. */
interface StepSettings {
  readonly learningRate: number;
  readonly localiserLearningRate: number;
  readonly weights: { readonly points: number; readonly surface: number; readonly edges: number };
}

/** Names of the files of a folder. */
const parityFile = {
  batch: (step: number): string => `batch-${String(step).padStart(4, '0')}.safetensors`,
  state: 'state.safetensors',
  topology: 'topology.safetensors',
  settings: 'settings.json',
} as const;

export interface ParityPlan {
  readonly stage: ParityStage;
  readonly configuration: RunConfiguration;
  /** Settings of each step. */
  readonly settings: readonly StageConfiguration[];
  readonly data: StageData;
  readonly batches: readonly Batch[];
  readonly layouts: readonly TensorLayout[];
  /** The network before its first step, in our layout. */
  readonly initial: NamedArrays;
}

/**
 * Writes what PyTorch needs to go through the same steps: batches with the rotations of grids, initial values, weights, rates.
 */
export async function writeParityFiles(folder: string, plan: ParityPlan): Promise<void> {
  const { stage, configuration, settings, data, batches, layouts, initial } = plan;
  await makeFolder(folder);
  const write = (name: string, arrays: NamedArrays): Promise<void> =>
    writeFile(join(folder, name), encodeSafetensors(arrays));
  const vertexCount = data.template.vertices.length / 3;
  for (const batch of batches) {
    await write(parityFile.batch(batch.step), arraysOf(batch, stage, configuration.seed, vertexCount));
  }
  const published = layouts.map((layout): [string, NamedArrays[string]] => {
    const shape = layout.publishedShape;
    return [layout.name, { shape, values: toPublished(layout, initial[layout.name]!.values) }];
  });
  await write(parityFile.state, Object.fromEntries(published));
  const edges = uniqueEdges(data.template.faces);
  const [first] = settings;
  if (first === undefined) throw new RangeError('parity of no step');
  const last = settings.at(-1)!;
  await write(parityFile.topology, {
    template: { shape: [vertexCount, 3], values: data.template.vertices },
    faces: { shape: [data.template.faces.length / 3, 3], values: Int32Array.from(data.template.faces) },
    edges: { shape: [edges.length / 2, 2], values: Int32Array.from(edges) },
    point_weights: {
      shape: [vertexCount],
      values: pointWeights(data.regions, last.pointRegionWeights, vertexCount),
    },
    edge_weights: {
      shape: [edges.length / 2],
      values: edgeWeights(data.regions, last.edgeRegionWeights, edges, vertexCount),
    },
  });
  const steps = settings.map((of, step): StepSettings => {
    const { points, pointsToSurface: surface, edges: ofEdges } = of.losses;
    return {
      learningRate: of.learningRate * scheduleFactor(of.schedule, step, of.iterations),
      localiserLearningRate: of.localiserLearningRate,
      weights: { points, surface, edges: ofEdges },
    };
  });
  const model = configuration.model[stage];
  const json = { stage, model, vertices: vertexCount, weightDecay: first.weightDecay, steps };
  await writeFile(join(folder, parityFile.settings), JSON.stringify(json));
}

function arraysOf(batch: Batch, stage: ParityStage, seed: number, vertexCount: number): NamedArrays {
  const { batch: samples, views, height, width } = batch.shape;
  const grids = stage === 'coarse' ? 1 : vertexCount;
  const scanPoints = batch.scanPoints.map(({ length }) => length / 3);
  if (new Set(scanPoints).size !== 1) throw new Error(`scans of ${scanPoints.join(' and ')} points in one batch`);
  const vertices = { shape: [samples, vertexCount, 3] };
  return {
    images: { shape: [samples, views, height, width, 3], values: batch.images },
    intrinsics: { shape: [samples, views, 3, 3], values: batch.intrinsics },
    extrinsics: { shape: [samples, views, 3, 4], values: batch.extrinsics },
    distortions: { shape: [samples, views, 2], values: batch.distortions },
    registrations: { ...vertices, values: batch.vertices! },
    scan: {
      shape: [samples, scanPoints[0]!, 3],
      values: Float32Array.from(batch.scanPoints.flatMap((points) => [...points])),
    },
    rotations: { shape: [samples, grids, 3, 3], values: gridRotations(seed, stage, batch.step, samples, grids) },
    ...(batch.coarseVertices ? { coarse: { ...vertices, values: batch.coarseVertices } } : {}),
  };
}

/** Total and weighted terms (points, point to surface, edges) of each step. */
export type LossCurve = readonly (readonly [number, number, number, number])[];

export async function readCurve(file: string): Promise<LossCurve> {
  return JSON.parse(await readFile(file, 'utf8')) as LossCurve;
}
