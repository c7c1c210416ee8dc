import type { RunConfiguration } from '../../configs/schema/run.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
import { readPart } from '../../checkpoints/reading/readCheckpoint.js';
import { decodeModel, type TrainingState } from '../../checkpoints/reading/trainingState.js';
import type { ObjectStore } from '../../storage/types.js';
import { CheckpointNotFound, ImportRefused } from './errors.js';
import { findCheckpoint } from './exportPublished.js';
import { convertPublished } from './importPublished.js';
import { layoutsOf } from './layouts.js';
import { freshOptimizer } from './optimizerState.js';
import { readPublishedFile } from './readPublished.js';
import { writeFirstCheckpoint, type ImportedState } from './writeFirstCheckpoint.js';

/** A trained model that another run starts from. */
export interface StartingModel {
  readonly stage: CheckpointStage;
  readonly model: TrainingState['model'];
  readonly optimizer: TrainingState['optimizer'];
  /** Where it comes from, human-readable. */
  readonly from: string;
}

/**
 * The weights of a published checkpoint; its optimiser's state is of other data, and left behind.
 *
 * @throws PublishedCheckpointMismatch, FormatError; ImportRefused for a trunk.
 */
export async function startingModelOfFile(file: string, configuration: RunConfiguration): Promise<StartingModel> {
  const published = await readPublishedFile(file, 'model');
  const { kind } = published;
  if (kind === 'trunk') {
    throw new ImportRefused(
      `${file} holds a ResNet trunk, not a trained model: training from it is tempeh-flow start full-training ` +
        `--set 'model.coarse.trunk={kind: imagenet, file: ${file}}'.`,
    );
  }
  return { stage: kind, from: file, ...convertPublished(file, kind, { ...published, optimizer: null }, configuration) };
}

/**
 * The weights of a run's newest checkpoints, or of the one that is named.
 *
 * @param from.stage null: coarse, and refinement where the run has one.
 * @throws CheckpointNotFound, DamagedCheckpoint; CheckpointMismatch for other networks than the configuration's.
 */
export async function startingModelsOfRun(
  store: ObjectStore,
  from: { readonly run: string; readonly stage: CheckpointStage | null; readonly step: number | null },
  configuration: RunConfiguration,
): Promise<StartingModel[]> {
  const { run, step } = from;
  const read = async (stage: CheckpointStage): Promise<StartingModel> => {
    const checkpoint = await findCheckpoint({ store, run, stage, step });
    const name = `${checkpoint.key}/model.safetensors`;
    const arrays = decodeModel(await readPart(store, checkpoint, 'model.safetensors'), name);
    const layouts = layoutsOf(stage, configuration.model, arrays);
    const model = Object.fromEntries(
      layouts.map((layout) => [layout.name, fitting(arrays, layout.name, layout.shape, name)]),
    );
    return { stage, model, optimizer: freshOptimizer(layouts), from: `${run}/${stage}@${checkpoint.step}` };
  };
  if (from.stage !== null) return [await read(from.stage)];
  const coarse = await read('coarse');
  try {
    return [coarse, await read('refinement')];
  } catch (cause) {
    if (!(cause instanceof CheckpointNotFound)) throw cause;
    return [coarse];
  }
}

/**
 * Gives a new run the models that it starts from: the coarse one counts as pre-trained, the refinement has no step yet.
 *
 * @throws ImportRefused where the run has checkpoints of its own.
 */
export async function writeStartingModels(
  models: readonly StartingModel[],
  {
    store,
    run,
    configuration,
  }: { readonly store: ObjectStore; readonly run: string; readonly configuration: RunConfiguration },
): Promise<void> {
  for (const { stage, model, optimizer } of models) {
    const isCoarse = stage === 'coarse';
    const state: ImportedState = {
      step: isCoarse ? configuration.training['coarse-pretraining'].iterations : 0,
      stage: isCoarse ? 'coarse-pretraining' : 'refinement',
      model,
      optimizer,
    };
    await writeFirstCheckpoint({ store, run, configuration, state, finished: isCoarse ? ['coarse-pretraining'] : [] });
  }
}
