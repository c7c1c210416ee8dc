import type { RunConfiguration } from '../../configs/schema/run.js';
import { runConfigurationSchema } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { CheckpointStore, Save } from '../../checkpoints/checkpointStore.js';
import { encodeTrainingState, type TrainingState } from '../../checkpoints/trainingState.js';

/** A resolved configuration with nothing but what has no default. */
export function plainConfiguration(checkpoints: Partial<RunConfiguration['checkpoints']> = {}): RunConfiguration {
  const lists = { list: 'l.json', images: 'i', calibrations: 'c', scans: 's', registrations: 'r' };
  return runConfigurationSchema.parse({
    storage: { kind: 'directory', path: '/nowhere' },
    dataset: {
      name: 'test',
      source: { kind: 'directory', path: '/nowhere' },
      layout: { train: lists, validation: lists, test: lists, template: 't.obj', vertexMasks: 'm.npz' },
    },
    checkpoints,
  });
}

/** A state whose numbers follow from its step. */
export function stateAt(step: number, stage: TrainingStage = 'coarse-pretraining'): TrainingState {
  return {
    step,
    stage,
    seed: 7,
    skippedBatches: 1,
    loss: step / 8,
    validationPending: false,
    model: {
      'b.weight': { shape: [2, 3], values: Float32Array.from({ length: 6 }, (_, i) => step + i / 8) },
      'a.running_mean': { shape: [2], values: Float32Array.of(step, -step) },
    },
    optimizer: { 'b.weight.exp_avg': { shape: [2, 3], values: new Float32Array(6).fill(step) } },
  };
}

export function saveOf(
  step: number,
  options: { stage?: TrainingStage; finished?: boolean; events?: Save['events'] } = {},
): Save {
  const stage = options.stage ?? 'coarse-pretraining';
  const parts = encodeTrainingState(stateAt(step, stage), {});
  return { step, stage, parts, events: options.events ?? null, finished: options.finished ?? false, loss: step / 8 };
}

export async function loadedStep(checkpoints: CheckpointStore): Promise<number | null> {
  return (await checkpoints.load(() => undefined))?.step ?? null;
}
