import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { encodeModel, type TrainingState } from '../../checkpoints/reading/trainingState.js';
import type { CheckpointReference } from '../../checkpoints/reference.js';
import { ImportRefused, PublishedCheckpointMismatch } from './errors.js';
import { layoutsFor } from './layouts.js';
import { freshOptimizer, fromPublishedOptimizer } from './optimizerState.js';
import { readPublishedFile, stepInName, type PublishedFile } from './readPublished.js';
import { fromStateDict } from './stateDict.js';
import { fromResnet } from './trunk.js';
import { writeFirstCheckpoint } from './writeFirstCheckpoint.js';

export interface ImportOptions {
  readonly store: ObjectStore;
  readonly run: string;
  readonly configuration: RunConfiguration;
  readonly file: string;
  /** The stage of the file's model; null: what its tensors' names say. */
  readonly stage: CheckpointStage | null;
  /** Steps done; null: what the file's name says. */
  readonly step: number | null;
  /** Its stage counts as done, whatever the step. */
  readonly final: boolean;
}

export type Imported = {
  /** Entries of the file that are not used. */
  readonly unused: readonly string[];
} & (
  | { readonly kind: 'trunk'; readonly key: string; readonly tensors: number }
  | {
      readonly kind: CheckpointStage;
      readonly stage: TrainingStage;
      readonly checkpoint: CheckpointReference;
      readonly hasOptimizer: boolean;
      /** Stages that count as done with it. */
      readonly finished: readonly TrainingStage[];
    }
);

/**
 * Brings a published checkpoint into a run that has none of that stage yet: training goes on at its step, and later
 * stages start from it where its stage is done. torchvision's ResNet-34 becomes what the coarse model's trunk starts with.
 *
 * @throws PublishedCheckpointMismatch naming every tensor that is missing, unexpected or misshapen.
 * @throws ImportRefused, FormatError, LeaseLost
 */
export async function importPublished(options: ImportOptions): Promise<Imported> {
  const { file, configuration, stage } = options;
  const published = await readPublishedFile(file);
  if (stage !== null && published.kind !== stage && !(published.kind === 'trunk' && stage === 'coarse')) {
    throw new ImportRefused(`${file} holds a ${published.kind} model, not a ${stage} one: leave out --stage ${stage}.`);
  }
  if (published.kind === 'trunk') return importTrunk(options, published);
  const step = options.step ?? stepInName(file);
  if (step === null) {
    throw new ImportRefused(`${file}: its name does not say after how many steps it was saved: --step N.`);
  }
  const { model, optimizer } = convertPublished(file, published.kind, published, configuration);
  const { trainingStage, finished } = standing(published.kind, step, configuration, options.final);
  const state = {
    step,
    stage: trainingStage,
    model,
    optimizer,
  };
  const checkpoint = await writeFirstCheckpoint({ ...options, state, finished });
  return {
    kind: published.kind,
    unused: published.unused,
    stage: trainingStage,
    checkpoint,
    hasOptimizer: published.optimizer !== null,
    finished,
  };
}

/**
 * A published model, with its optimiser's state or a fresh one, in our names and layouts.
 *
 * @throws PublishedCheckpointMismatch naming every tensor that is missing, unexpected or misshapen.
 */
export function convertPublished(
  file: string,
  stage: CheckpointStage,
  { states, optimizer }: PublishedFile,
  { model }: RunConfiguration,
): Pick<TrainingState, 'model' | 'optimizer'> {
  const layouts = layoutsFor(stage, model, states);
  const problems: string[] = [];
  const arrays = {
    model: fromStateDict(layouts, states, problems),
    optimizer: optimizer === null ? freshOptimizer(layouts) : fromPublishedOptimizer(layouts, optimizer, problems),
  };
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
  return arrays;
}

/** Where in training a step is, and which stages are done with it. */
function standing(
  kind: CheckpointStage,
  step: number,
  { training }: RunConfiguration,
  final: boolean,
): { trainingStage: TrainingStage; finished: TrainingStage[] } {
  const isDone = (stage: TrainingStage): boolean => final || step >= training[stage].iterations;
  const stages = (kind === 'coarse' ? ['coarse-pretraining', 'coarse-finetuning'] : ['refinement']) as TrainingStage[];
  const finished = stages.filter(isDone);
  const isFinetuned = kind === 'coarse' && step > training['coarse-pretraining'].iterations;
  return { trainingStage: isFinetuned ? 'coarse-finetuning' : (finished.at(-1) ?? stages[0]!), finished };
}

async function importTrunk(
  { store, run, file, configuration }: ImportOptions,
  { states, unused }: PublishedFile,
): Promise<Imported> {
  const manifest = await readManifest(store, run, 'coarse');
  if (manifest !== null && manifest.checkpoints.length > 0) {
    const todo = 'a trunk is where training starts. Start a new run with it (--run NAME).';
    throw new ImportRefused(`Run ${run} has a coarse checkpoint of step ${manifest.checkpoints.at(-1)!.step}: ${todo}`);
  }
  const problems: string[] = [];
  const trunk = fromResnet(layoutsFor('coarse', configuration.model, states), states, problems);
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
  const key = keys.trunk(run);
  await store.put(key, encodeModel(trunk));
  return { kind: 'trunk', unused, key, tensors: Object.keys(trunk).length };
}
