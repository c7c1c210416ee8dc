import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import {
  coarseLayout,
  initialState,
  isFeatureNetTensor,
  isTrunkTensor,
  refinementLayout,
  type ModelState,
  type TensorLayout,
} from '../../model/index.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import type { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { StageNotFinished } from '../../checkpoints/errors.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
import { loadFinalModel } from '../../checkpoints/reading/finalModel.js';
import type { TrainingState } from '../../checkpoints/reading/trainingState.js';
import { NetworkRefused } from '../errors.js';
import { loadTrunk } from '../published/trunk.js';
import { modelStateFrom } from './stateArrays.js';

export interface StageStart {
  readonly state: ModelState;
  /** What training goes on from; null for a stage that begins. */
  readonly resumed: TrainingState | null;
}

export interface StageStartOptions {
  readonly run: string;
  readonly stage: TrainingStage;
  readonly configuration: RunConfiguration;
  readonly store: ObjectStore;
  readonly checkpoints: CheckpointStore;
  readonly vertexCount: number;
  readonly warn: (message: string) => void;
}

/** The tensors of a stage's network. @param vertexCount L. @throws NetworkRefused */
export function stageLayouts(stage: TrainingStage, { model }: RunConfiguration, vertexCount: number): TensorLayout[] {
  try {
    return stage === 'refinement' ? refinementLayout(model.refinement) : coarseLayout(model.coarse, vertexCount);
  } catch (cause) {
    throw new NetworkRefused(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * Where a stage starts: at its newest checkpoint that can be read; fine-tuning at least at pre-training's last; or anew,
 * the coarse model with the trunk that was imported into the run, if any (method 2.1), refinement with the trained coarse
 * model's feature net (method 3.1).
 *
 * @throws StageNotFinished when the stage before it has not.
 * @throws CheckpointMismatch, NoUsableCheckpoint, NetworkRefused
 */
export async function startStage(options: StageStartOptions): Promise<StageStart> {
  const { run, stage, configuration, checkpoints, vertexCount, warn } = options;
  const layouts = stageLayouts(stage, configuration, vertexCount);
  const resumed = await checkpoints.load(warn);
  if (stage === 'coarse-finetuning' && !checkpoints.manifest.finished['coarse-pretraining']) {
    throw new StageNotFinished(run, 'coarse-pretraining', stage);
  }
  if (resumed) {
    const name = `The checkpoint of step ${resumed.step} of run ${run}`;
    return { state: modelStateFrom(layouts, resumed.model, name), resumed };
  }
  const loaded = stage === 'refinement' ? await trainedFeatureNet(options) : await importedTrunk(options);
  return { state: initialState(layouts, configuration.seed, loaded), resumed: null };
}

/**
 * Values for the coarse model's trunk: those of a network that was trained on ImageNet, or of another model.
 *
 * @throws NetworkRefused where the configuration asks for one, and none was uploaded.
 */
async function importedTrunk({
  store,
  run,
  configuration,
}: StageStartOptions): Promise<(layout: TensorLayout) => Float32Array | Int32Array | undefined> {
  const trunk = await loadTrunk(store, run);
  const { kind } = configuration.model.coarse.trunk;
  if (trunk === null && kind !== 'random') {
    throw new NetworkRefused(
      `model.coarse.trunk.kind is ${kind}, but ${keys.trunk(run)} is not in ${store.description}: tempeh-flow start puts it there. ` +
        'Start the run again where the file is, or bring it in by tempeh-flow import-checkpoint FILE --run ' +
        `${run} (--set model.coarse.trunk.kind=random: random weights).`,
    );
  }
  if (trunk === null) return () => undefined;
  return ({ name, shape }) => (isTrunkTensor(name) ? fitting(trunk.arrays, name, shape, trunk.key).values : undefined);
}

/** Values for the refinement's feature net: those of the final coarse model. */
async function trainedFeatureNet({
  store,
  run,
  stage,
}: StageStartOptions): Promise<(layout: TensorLayout) => Float32Array | Int32Array | undefined> {
  const coarse = await loadFinalModel(store, run, 'coarse-finetuning', stage);
  return ({ name, shape }) =>
    isFeatureNetTensor(name) ? fitting(coarse.arrays, name, shape, coarse.checkpoint.key).values : undefined;
}
