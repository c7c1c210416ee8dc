import {
  runConfigurationSchema,
  type RunConfiguration,
  type RunConfigurationInput,
} from '../../../configs/schema/run.js';
import type { TrainingStage } from '../../../configs/schema/training.js';
import type { Batch } from '../../../datasets/types.js';
import { lookAt, type Camera } from '../../../geometry/cameras/camera.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { counterRandom } from '../../../geometry/random.js';
import { tinyDataset } from '../../support/tiny/tinyDataset.js';
import type { TrainingJob } from '../../../training/process/protocol.js';
import type { StageData } from '../../../training/loop/stageData.js';

const shape = { batch: 2, views: 3, height: 24, width: 32 };

/** Of a stage: all happens every few steps. */
export const often = { logEvery: 1, picturesEvery: 5, validateEvery: 4, checkpointEvery: 3, scanPoints: 50 };

/** Stages that take a fraction of a second. */
export function tinyConfiguration(input: {
  readonly storage: RunConfigurationInput['storage'];
  readonly training?: RunConfigurationInput['training'];
  readonly checkpoints?: RunConfigurationInput['checkpoints'];
}): RunConfiguration {
  const featureNet = { stemChannels: 4, layerChannels: [4, 4, 4, 4], layerBlocks: [1, 1, 1, 1], featureChannels: 4 };
  const v2v = { frontChannels: 4, frontKernelSide: 7, baseChannels: 4, encoderChannels: [4], backChannels: [4, 4] };
  const stage = (iterations: number, changes: object = {}): object => ({ iterations, ...often, ...changes });
  return runConfigurationSchema.parse({
    seed: 5,
    dataset: tinyDataset,
    viewKind: 'stereo',
    loader: { threads: 1, prefetch: 2 },
    model: {
      coarse: {
        featureNet,
        gridSide: 8,
        gridSpacing: 40,
        localiser: { channels: 4, levels: 1, hiddenUnits: 4 },
        v2v: { ...v2v, pooledLevels: 1 },
      },
      refinement: { featureNet, gridSide: 4, v2v: { ...v2v, pooledLevels: 1 } },
    },
    training: {
      'coarse-pretraining': stage(10),
      'coarse-finetuning': stage(16),
      refinement: stage(6),
      ...input.training,
    },
    storage: input.storage,
    checkpoints: input.checkpoints ?? {},
  });
}

export function tinyJob(configuration: RunConfiguration, stage: TrainingStage, attempt: string): TrainingJob {
  return { run: 'tiny', stage, configuration, attempt, workingDirectory: '/nonexistent' };
}

/** An octahedron about the volume's centre: six vertices. */
const template: Mesh = {
  vertices: Float32Array.of(80, -50, 0, -80, -50, 0, 0, 30, 0, 0, -130, 0, 0, -50, 80, 0, -50, -80),
  faces: Uint32Array.of(0, 2, 4, 2, 1, 4, 1, 3, 4, 3, 0, 4, 2, 0, 5, 1, 2, 5, 3, 1, 5, 0, 3, 5),
};
const regions = {
  face: [0, 1],
  left_eyeball: [2],
  right_eyeball: [3],
  left_ear: [],
  right_ear: [],
  left_eye_region: [],
  right_eye_region: [],
  lips: [],
  neck: [],
  nostrils: [],
  scalp: [],
  boundary: [],
};

const cameras: Camera[] = [0, 2, 4].map((angle, view) => ({
  name: `0${view}_A`,
  width: shape.width,
  height: shape.height,
  intrinsics: Float64Array.of(60, 0, 16, 0, 60, 12, 0, 0, 1),
  extrinsics: lookAt([600 * Math.sin(angle), -50, 600 * Math.cos(angle)], [0, -50, 0], [0, 1, 0]),
  distortion: [0.01, 0.001],
}));

/** Samples of noise, the same for the same step: what is learnt from them does not matter here. */
export function tinyData(
  options: { readonly refinement?: boolean; readonly poisoned?: readonly number[] } = {},
): StageData {
  const sampleOf = (step: number, purpose: string): Batch => {
    const { uniform } = counterRandom(1, purpose, step);
    const noise = (length: number, scale: number): Float32Array =>
      Float32Array.from({ length }, () => scale * (uniform() - 0.5));
    const moved = (scale: number): Float32Array => {
      const heads = new Float32Array(shape.batch * template.vertices.length);
      const offsets = noise(heads.length, scale);
      return heads.map((_, i) => template.vertices[i % template.vertices.length]! + offsets[i]!);
    };
    const repeated = (values: (camera: Camera) => Iterable<number>): Float32Array =>
      Float32Array.from(
        Array.from({ length: shape.batch }, () => cameras.flatMap((camera) => [...values(camera)])).flat(),
      );
    const images = noise(shape.batch * shape.views * shape.height * shape.width * 3, 2);
    if (options.poisoned?.includes(step)) images[0] = NaN;
    return {
      step,
      frames: [0, 1].map((sample) => ({ subject: 's', sequence: purpose, frame: String(10 * step + sample) })),
      viewNames: [0, 1].map(() => cameras.map(({ name }) => name)),
      shape,
      images,
      intrinsics: repeated(({ intrinsics }) => intrinsics),
      extrinsics: repeated(({ extrinsics }) => extrinsics),
      distortions: repeated(({ distortion }) => distortion),
      cameras: [cameras, cameras],
      vertices: moved(40),
      scanPoints: [noise(150, 160), noise(150, 160)],
      coarseVertices: options.refinement ? moved(10) : null,
    };
  };
  return {
    template,
    regions,
    batch: async (step) => sampleOf(step, 'train'),
    async *validationBatches() {
      yield sampleOf(0, 'validation');
      yield sampleOf(1, 'validation');
    },
    bytesRead: () => 0,
    close: async () => undefined,
  };
}
