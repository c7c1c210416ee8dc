import { fingerprintPytorchFile } from '../../datasets/formats/pytorch/readPytorch.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { loadStore } from '../../storage/loadStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { loadFinalModel, readFinished, type LoadedModel } from '../../checkpoints/reading/finalModel.js';
import { readPart } from '../../checkpoints/reading/readCheckpoint.js';
import { decodeModel } from '../../checkpoints/reading/trainingState.js';
import { findCheckpoint } from '../../training/published/exportPublished.js';
import { vertexCountOf } from '../../training/published/layouts.js';
import { loadPublishedModel } from '../../training/published/loadPublishedModel.js';
import { FoldersUnsuitable, type FolderPredictionJob, type ModelReference } from './job.js';

type Stage = 'coarse' | 'refinement';
const finalStages = { coarse: 'coarse-finetuning', refinement: 'refinement' } as const;
const neededFor = 'prediction';

/**
 * The weights of a stage, off the device.
 *
 * @throws PublishedCheckpointMismatch, ImportRefused, FormatError of a published file
 * @throws StageNotFinished, CheckpointNotFound, DamagedCheckpoint of a run's
 */
export async function loadModel(job: FolderPredictionJob, stage: Stage): Promise<LoadedModel> {
  const reference = referenceOf(job, stage);
  const { model, storage } = job.configuration;
  if (reference.kind === 'file') return loadPublishedModel(reference.path, stage, model);
  const store = await loadStore(storage);
  if (reference.step === null) return loadFinalModel(store, reference.run, finalStages[stage], neededFor);
  const checkpoint = await findCheckpoint({ store, run: reference.run, stage, step: reference.step });
  const file = `${checkpoint.key}/model.safetensors`;
  return { checkpoint, arrays: decodeModel(await readPart(store, checkpoint, 'model.safetensors'), file) };
}

/** What tells these weights from others, without reading them. @throws as `loadModel` */
export async function fingerprintOf(job: FolderPredictionJob, stage: Stage): Promise<string> {
  const reference = referenceOf(job, stage);
  if (reference.kind === 'file') return fingerprintPytorchFile(reference.path);
  return modelSha256(await loadStore(job.configuration.storage), reference, stage);
}

async function modelSha256(
  store: ObjectStore,
  { run, step }: Extract<ModelReference, { kind: 'run' }>,
  stage: Stage,
): Promise<string> {
  if (step === null) return (await readFinished(store, run, finalStages[stage], neededFor)).final.modelSha256;
  const { parts } = await findCheckpoint({ store, run, stage, step });
  return parts['model.safetensors']?.sha256 ?? '';
}

/** @throws FoldersUnsuitable when the template is not of the coarse model's topology. */
export function requireTopology(
  { arrays, checkpoint }: LoadedModel,
  template: Mesh,
  { template: from }: FolderPredictionJob,
): void {
  const expected = vertexCountOf(arrays);
  const found = template.vertices.length / 3;
  if (expected === undefined || expected === found) return;
  const file = from.kind === 'file' ? from.path : `of the data set ${from.name}`;
  throw new FoldersUnsuitable(
    `${checkpoint.key} predicts ${expected} vertices, but the template ${file} has ${found}: ` +
      'name a mesh of the topology that the model was trained with (--template FILE).',
  );
}

export function referenceOf({ models, stages }: FolderPredictionJob, stage: Stage): ModelReference {
  const reference = models[stage];
  if (reference === null) throw new FoldersUnsuitable(`Prediction of ${stages} needs a ${stage} model.`);
  return reference;
}
