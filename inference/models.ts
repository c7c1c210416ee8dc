import type { RunConfiguration } from '../configs/schema/run.js';
import type { Batches } from '../datasets/batches/openBatches.js';
import type { ObjectStore } from '../storage/types.js';
import { loadFinalModel } from '../checkpoints/reading/finalModel.js';
import { CoarsePredictor } from './coarsePredictor.js';
import { RefinementPredictor } from './refinementPredictor.js';

/** The trained networks of a run. */
export interface TrainedModels {
  readonly coarse: CoarsePredictor;
  /** null where it is not asked for. */
  readonly refinement: RefinementPredictor | null;
  dispose(): void;
}

/** @throws StageNotFinished, FinalModelDamaged, CheckpointMismatch */
export async function loadTrainedModels(
  store: ObjectStore,
  run: string,
  { model }: RunConfiguration,
  stages: 'coarse' | 'both',
  { template }: Pick<Batches, 'template'>,
): Promise<TrainedModels> {
  const neededFor = 'prediction';
  const [coarseModel, refinementModel] = await Promise.all([
    loadFinalModel(store, run, 'coarse-finetuning', neededFor),
    stages === 'both' ? loadFinalModel(store, run, 'refinement', neededFor) : null,
  ]);
  const coarse = new CoarsePredictor(model.coarse, coarseModel, template.vertices.length / 3);
  const refinement = refinementModel && new RefinementPredictor(model.refinement, refinementModel, template);
  return {
    coarse,
    refinement,
    dispose() {
      coarse.dispose();
      refinement?.dispose();
    },
  };
}
