import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { ContentDamaged, ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import {
  checkpointStageOf,
  type CheckpointStage,
  type Manifest,
  type ManifestCheckpoint,
} from '../manifest/manifestSchema.js';
import { SafetensorsError } from '../safetensors.js';
import type { CheckpointFolder } from '../objects/stageObjects.js';
import {
  decodeTrainingState,
  parseTrainingState,
  partNames,
  sha256Of,
  type PartName,
  type StoredState,
} from '../reading/trainingState.js';

type FinishedStages = Manifest['finished'];

/** A checkpoint as its objects tell. */
export interface SurveyedCheckpoint {
  readonly checkpoint: ManifestCheckpoint;
  /** Stages that are done with it. */
  readonly finished: FinishedStages;
  /** Its state names the hashes of its other parts, and they have them; false for one of an earlier version. */
  readonly isVerified: boolean;
}

/** Why a folder of checkpoints holds none that training could go on from. */
export interface UnusableFolder {
  readonly key: string;
  readonly reason: string;
}

/** Reads a checkpoint without its manifest, and compares it with what its state says of it. */
export async function surveyCheckpoint(
  store: ObjectStore,
  stage: CheckpointStage,
  folder: CheckpointFolder,
  configuration: RunConfiguration,
): Promise<SurveyedCheckpoint | UnusableFolder> {
  const { key, step, attempt, objects } = folder;
  const unusable = (reason: string): UnusableFolder => ({ key, reason });
  const bodies: Partial<Record<PartName, Uint8Array>> = {};
  for (const name of partNames) {
    try {
      bodies[name] = (await store.get(`${key}/${name}`)).body;
    } catch (cause) {
      if (cause instanceof ObjectNotFound) return unusable(`${name} is missing`);
      if (cause instanceof ContentDamaged) return unusable(cause.message);
      throw cause;
    }
  }
  const whole = bodies as Record<PartName, Uint8Array>;
  let state: StoredState;
  try {
    state = parseTrainingState(whole['state.json'], `${key}/state.json`);
    decodeTrainingState(whole, key);
  } catch (cause) {
    if (cause instanceof StoredObjectInvalid || cause instanceof SafetensorsError) return unusable(cause.message);
    throw cause;
  }
  if (state.step !== step) return unusable(`its state is of step ${state.step}, not ${step}`);
  if (checkpointStageOf(state.stage) !== stage) return unusable(`its state is of ${state.stage}`);
  const parts = Object.fromEntries(
    partNames.map((name) => [name, { size: whole[name].length, sha256: sha256Of(whole[name]) }]),
  );
  for (const [name, expected] of Object.entries(state.parts ?? {})) {
    const found = parts[name];
    if (found?.sha256 !== expected.sha256) {
      return unusable(`${name} has SHA-256 ${found?.sha256 ?? 'of nothing'}; ${expected.sha256} was written`);
    }
  }
  const createdAt = new Date(Math.max(...objects.map(({ modified }) => modified.getTime()))).toISOString();
  const finishes = state.finishes ?? finishedBy(state, configuration);
  const { milestoneEvery } = configuration.checkpoints;
  const milestone = finishes.length > 0 || (milestoneEvery !== null && step % milestoneEvery === 0);
  const modelSha256 = parts['model.safetensors']!.sha256;
  const final = { step, key, modelSha256, loss: state.loss, at: createdAt };
  return {
    checkpoint: { step, stage: state.stage, attempt, key, createdAt, parts, milestone },
    finished: Object.fromEntries(finishes.map((name) => [name, final])),
    isVerified: state.parts !== undefined,
  };
}

/** Stages that a checkpoint of an earlier version finishes: its state does not say it. */
function finishedBy({ stage, step, validationPending }: StoredState, { training }: RunConfiguration): TrainingStage[] {
  return step >= training[stage].iterations && !validationPending ? [stage] : [];
}
