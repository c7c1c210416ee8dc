import { trainingStages } from '../configs/schema/training.js';
import type { TrainedStages } from '../configs/trainedStages.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import type { Manifest } from '../checkpoints/manifest.js';
import { readJson } from './runState.js';

/** How far a run has been trained, from the manifests of its stages. */
export async function readTrainedStages(store: ObjectStore, run: string): Promise<TrainedStages> {
  const manifests = await Promise.all(
    ['coarse', 'refinement'].map((stage) => readJson(store, keys.manifest(run, stage))),
  );
  const trained: { -readonly [Stage in keyof TrainedStages]: TrainedStages[Stage] } = {};
  for (const manifest of manifests as (Partial<Manifest> | null)[]) {
    for (const stage of trainingStages) {
      const final = manifest?.finished?.[stage];
      const step = manifest?.checkpoints?.findLast((checkpoint) => checkpoint.stage === stage)?.step ?? final?.step;
      if (step !== undefined) trained[stage] = { step, finished: final?.step === step };
    }
  }
  return trained;
}
