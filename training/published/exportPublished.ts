import type { RunConfiguration } from '../../configs/schema/run.js';
import { writePytorchFile } from '../../datasets/formats/pytorch/writePytorch.js';
import type { ObjectStore } from '../../storage/types.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import type { CheckpointStage, ManifestCheckpoint } from '../../checkpoints/manifest/manifestSchema.js';
import { readParts } from '../../checkpoints/reading/readCheckpoint.js';
import { decodeTrainingState } from '../../checkpoints/reading/trainingState.js';
import { scheduleFactor } from '../optimisation/schedules.js';
import { CheckpointNotFound } from './errors.js';
import { layoutsOf } from './layouts.js';
import { toPublishedOptimizer } from './optimizerState.js';
import { toStateDict } from './stateDict.js';

export interface ExportOptions {
  readonly store: ObjectStore;
  readonly run: string;
  readonly stage: CheckpointStage;
  /** null: the newest. */
  readonly step: number | null;
  readonly configuration: RunConfiguration;
  /** Path of the file, by the step of the checkpoint. */
  readonly fileFor: (step: number) => string;
}

/**
 * Writes a checkpoint of ours as the published system does: `{model, optimizer_model}`, which `torch.load` reads.
 *
 * @throws CheckpointNotFound naming those that there are; DamagedCheckpoint, CheckpointMismatch
 */
export async function exportPublished(
  options: ExportOptions,
): Promise<{ readonly step: number; readonly file: string }> {
  const { store, stage, configuration, fileFor } = options;
  const checkpoint = await findCheckpoint(options);
  const state = decodeTrainingState(await readParts(store, checkpoint), checkpoint.key);
  const layouts = layoutsOf(stage, configuration.model, state.model);
  const { learningRate, localiserLearningRate, weightDecay, schedule, iterations } =
    configuration.training[state.stage];
  const rates = {
    learningRate: learningRate * scheduleFactor(schedule, state.step, iterations),
    localiserLearningRate,
    weightDecay,
  };
  const file = fileFor(state.step);
  await writePytorchFile(
    file,
    new Map([
      ['model', toStateDict(layouts, state.model, checkpoint.key)],
      ['optimizer_model', toPublishedOptimizer(layouts, state.optimizer, rates, checkpoint.key)],
    ]),
  );
  return { step: state.step, file };
}

/** A checkpoint by its step; the newest where that is null. @throws CheckpointNotFound naming those that there are. */
export async function findCheckpoint({
  store,
  run,
  stage,
  step,
}: Pick<ExportOptions, 'store' | 'run' | 'stage' | 'step'>): Promise<ManifestCheckpoint> {
  const checkpoints = (await readManifest(store, run, stage))?.checkpoints ?? [];
  const found = step === null ? checkpoints.at(-1) : checkpoints.find((checkpoint) => checkpoint.step === step);
  if (found) return found;
  const steps = checkpoints.map((checkpoint) => checkpoint.step).join(', ');
  throw new CheckpointNotFound(
    `Run ${run} has no ${stage} checkpoint${step === null ? '' : ` of step ${step}`} in ${store.description}` +
      `${steps === '' ? '' : ` (there are those of steps ${steps})`}. ` +
      'Name one as RUN/coarse or RUN/refinement, with @STEP for another than the newest.',
  );
}
