import type { TrainingStage } from '../../configs/schema/training.js';
import type { ObjectStore } from '../../storage/types.js';
import type { CheckpointReference } from '../reference.js';
import { readManifest } from '../manifest/readManifest.js';
import { FinalModelDamaged, StageNotFinished } from '../errors.js';
import { checkpointStageOf, type ManifestCheckpoint } from '../manifest/manifestSchema.js';
import { DamagedCheckpoint, readPart } from './readCheckpoint.js';
import type { NamedArrays } from '../safetensors.js';
import { decodeModel } from './trainingState.js';

/** Weights, and where they come from, for messages. */
export interface LoadedModel {
  readonly checkpoint: Pick<CheckpointReference, 'key'>;
  readonly arrays: NamedArrays;
}

/** The weights that a finished stage ended with. */
export interface FinalModel extends LoadedModel {
  readonly checkpoint: CheckpointReference;
}

/**
 * @param neededFor what asks for it, for the message.
 * @throws StageNotFinished
 * @throws FinalModelDamaged when its bytes are not those that were written.
 */
export async function loadFinalModel(
  store: ObjectStore,
  run: string,
  stage: TrainingStage,
  neededFor: string,
): Promise<FinalModel> {
  const { final, checkpoint } = await readFinished(store, run, stage, neededFor);
  const bytes = await readPart(store, checkpoint, 'model.safetensors').catch((cause: unknown) => {
    throw cause instanceof DamagedCheckpoint ? new FinalModelDamaged(run, stage, { cause }) : cause;
  });
  const { step, key, modelSha256 } = final;
  return { checkpoint: { step, key, modelSha256 }, arrays: decodeModel(bytes, `${key}/model.safetensors`) };
}

/** Hex SHA-256 of the model that a stage ended with; null if it has not been finished. @throws StoredObjectInvalid */
export async function finishedModel(store: ObjectStore, run: string, stage: TrainingStage): Promise<string | null> {
  const manifest = await readManifest(store, run, checkpointStageOf(stage));
  return manifest?.finished[stage]?.modelSha256 ?? null;
}

/** What the manifest says of the checkpoint that a finished stage ended with. @throws StageNotFinished */
export async function readFinished(
  store: ObjectStore,
  run: string,
  stage: TrainingStage,
  neededFor: string,
): Promise<{ readonly final: CheckpointReference; readonly checkpoint: ManifestCheckpoint }> {
  const manifest = await readManifest(store, run, checkpointStageOf(stage));
  const final = manifest?.finished[stage];
  const checkpoint = manifest?.checkpoints.find(({ key }) => key === final?.key);
  if (!final || !checkpoint) throw new StageNotFinished(run, stage, neededFor);
  return { final, checkpoint };
}
