import type { TrainedStages } from '../configs/changes/trainedStages.js';
import type { ObjectStore } from '../storage/types.js';
import { checkpointStages, stageNameSchema } from './manifest/manifestSchema.js';
import { readManifest } from './manifest/readManifest.js';

/**
 * How far a run has been trained, from the manifests of its stages.
 *
 * @throws StoredObjectInvalid, ManifestMissing
 */
export async function readTrainedStages(store: ObjectStore, run: string): Promise<TrainedStages> {
  const manifests = await Promise.all(checkpointStages.map((stage) => readManifest(store, run, stage)));
  const trained: { -readonly [Stage in keyof TrainedStages]: TrainedStages[Stage] } = {};
  for (const manifest of manifests) {
    for (const stage of stageNameSchema.options) {
      const final = manifest?.finished[stage];
      const step = manifest?.checkpoints.findLast((checkpoint) => checkpoint.stage === stage)?.step ?? final?.step;
      if (step !== undefined) trained[stage] = { step, finished: final?.step === step };
    }
  }
  return trained;
}
