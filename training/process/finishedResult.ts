import type { ObjectStore } from '../../storage/types.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { checkpointStageOf } from '../../checkpoints/manifest/manifestSchema.js';
import { DamagedCheckpoint, readPart } from '../../checkpoints/reading/readCheckpoint.js';
import type { StageResult, TrainingJob } from './protocol.js';

/**
 * The result of a stage that was trained to its configured end before; null if it is to be trained. Weights that no later
 * checkpoint was built on are read and compared with their checksum: where they are damaged, the stage's end is to be
 * trained again.
 */
export async function finishedResult(
  { run, stage, configuration }: TrainingJob,
  store: ObjectStore,
  warn: (message: string) => void,
): Promise<StageResult | null> {
  const manifest = await readManifest(store, run, checkpointStageOf(stage));
  const final = manifest?.finished[stage];
  if (!final || final.step < configuration.training[stage].iterations) return null;
  const newest = manifest?.checkpoints.at(-1);
  if (newest?.key === final.key) {
    try {
      await readPart(store, newest, 'model.safetensors');
    } catch (cause) {
      if (!(cause instanceof DamagedCheckpoint)) throw cause;
      warn(`${cause.message}. The last steps of ${stage} are trained again.`);
      return null;
    }
  }
  const { step, key, modelSha256, loss } = final;
  return { stage, step, loss, checkpoint: { step, key, modelSha256 }, seconds: 0 };
}
