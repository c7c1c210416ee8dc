import type { RunConfiguration } from '../../configs/schema/run.js';
import type { LoadedModel } from '../../checkpoints/reading/finalModel.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { ImportRefused, PublishedCheckpointMismatch } from './errors.js';
import { layoutsFor } from './layouts.js';
import { readPublishedFile } from './readPublished.js';
import { fromStateDict } from './stateDict.js';

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
  if (kind !== stage) {
    const found = kind === 'trunk' ? 'a ResNet trunk' : `a ${kind} model`;
    throw new ImportRefused(`${file} holds ${found}; expected a ${stage} model.`);
  }
  const problems: string[] = [];
  const arrays = fromStateDict(layoutsFor(stage, model, states), states, problems);
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
  return { checkpoint: { key: file }, arrays };
}
