import { z } from 'zod';
import { checkpointStageOf } from '../../checkpoints/manifest/manifestSchema.js';
import { trainingStages, type TrainingStage } from '../../configs/schema/training.js';

const heartbeatSchema = z.object({
  progress: z.object({ stage: z.enum(trainingStages), checkpointStep: z.int().min(0).nullable() }).nullish(),
});

/**
 * Step of the newest checkpoint of a stage's folder that Temporal's history knows of; null if it knows of none.
 *
 * @param heartbeat what earlier attempts of the activity reported last. @param told by the workflow.
 */
export function knownStepOf(stage: TrainingStage, heartbeat: unknown, told: number | null = null): number | null {
  const parsed = heartbeatSchema.safeParse(heartbeat);
  const progress = parsed.success ? parsed.data.progress : null;
  const isOwn = progress != null && checkpointStageOf(progress.stage) === checkpointStageOf(stage);
  const known = [told, isOwn ? progress.checkpointStep : null].filter((step) => step !== null);
  return known.length === 0 ? null : Math.max(...known);
}
