import type { RunConfiguration } from '../../configs/schema/run.js';
import type { LoadedModel } from '../../checkpoints/reading/finalModel.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { ImportRefused, PublishedCheckpointMismatch } from './errors.js';
import { layoutsFor } from './layouts.js';
import { readPublishedFile, type PublishedFile } from './readPublished.js';
import { fromStateDict, misfits } from './stateDict.js';

/**
 * The weights of a published checkpoint, to predict with; its optimiser is not read.
 *
 * @throws PublishedCheckpointMismatch naming every tensor that is missing, unexpected or misshapen.
 * @throws ImportRefused when it holds another model than the stage's; FormatError
 */
export async function loadPublishedModel(
  file: string,
  stage: CheckpointStage,
  model: RunConfiguration['model'],
): Promise<LoadedModel> {
  const { kind, states } = await readPublishedFile(file, 'model');
  requireStage(file, stage, kind);
  const problems: string[] = [];
  const arrays = fromStateDict(layoutsFor(stage, model, states), states, problems);
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
  return { checkpoint: { key: file }, arrays };
}

/**
 * Looks whether a published checkpoint is the stage's and fits the networks, without reading its weights.
 *
 * @throws as `loadPublishedModel`, but for weights that are no numbers.
 */
export async function checkPublishedModel(
  file: string,
  stage: CheckpointStage,
  model: RunConfiguration['model'],
): Promise<void> {
  const { kind, states } = await readPublishedFile(file, 'outline');
  requireStage(file, stage, kind);
  const problems = misfits(layoutsFor(stage, model, states), states);
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
}

function requireStage(file: string, stage: CheckpointStage, kind: PublishedFile['kind']): void {
  if (kind === stage) return;
  const found = kind === 'trunk' ? 'a ResNet trunk' : `a ${kind} model`;
  throw new ImportRefused(`${file} holds ${found}; expected a ${stage} model.`);
}
