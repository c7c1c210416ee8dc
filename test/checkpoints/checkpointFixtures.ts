import type { RunConfiguration } from '../../configs/schema/run.js';
import { runConfigurationSchema } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { CheckpointStore, Save } from '../../checkpoints/checkpointStore.js';
import { emptyManifest } from '../../checkpoints/manifest/manifest.js';
import type { CheckpointStage, EventSegment, Manifest } from '../../checkpoints/manifest/manifestSchema.js';
import { encodeTrainingState, partNames, type TrainingState } from '../../checkpoints/reading/trainingState.js';
import { keys } from '../../storage/keys.js';

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

export interface ManifestContents {
  /** Steps, and the training stage that each was taken in. */
  readonly checkpoints?: readonly (readonly [number, TrainingStage])[];
  /** Step and model of the final checkpoints. */
  readonly finished?: Partial<Record<TrainingStage, { readonly step: number; readonly modelSha256?: string }>>;
  readonly lease?: string;
  readonly events?: readonly EventSegment[];
}

const someSha256 = 'f'.repeat(64);

/** A manifest as the store has it, of checkpoints that attempt `a` saved. */
export function manifestWith(run: string, stage: CheckpointStage, contents: ManifestContents): Manifest {
  const { checkpoints = [], finished = {}, lease, events = [] } = contents;
  const at = '2026-11-29T00:00:00.000Z';
  const keyOf = (step: number): string => keys.checkpoint(run, stage, step, 'a');
  return {
    ...emptyManifest(run, stage),
    lease: lease === undefined ? null : { attempt: lease, claimedAt: at },
    checkpoints: checkpoints.map(([step, trained]) => ({
      step,
      stage: trained,
      attempt: 'a',
      key: keyOf(step),
      createdAt: at,
      parts: Object.fromEntries(partNames.map((name) => [name, { size: 1, sha256: someSha256 }])),
      milestone: false,
    })),
    finished: Object.fromEntries(
      Object.entries(finished).map(([name, { step, modelSha256 = someSha256 }]) => [
        name,
        { step, key: keyOf(step), modelSha256, loss: null, at },
      ]),
    ),
    events: [...events],
  };
}
