import { z } from 'zod';
import type { TrainingStage } from '../../configs/schema/training.js';
import { sha256Schema as sha256 } from '../../storage/storedJson.js';

const step = z.int().min(0);
/** Name of a part of training that takes checkpoints, in the order in which they run. */
export const stageNameSchema = z.enum([
  'coarse-pretraining',
  'coarse-finetuning',
  'refinement',
] satisfies TrainingStage[]);
/** Names the file of a part, or an attempt: never a path. */
const name = z.string().regex(/^\w[\w.-]*$/, 'expected letters, digits, "_", "-" and "."');

const part = z.strictObject({ size: z.int().min(0), sha256 });
/** As `partNames` in reading/trainingState.ts, which imports this. */
const needed = ['model.safetensors', 'optimizer.safetensors', 'state.json'];

const checkpointSchema = z.strictObject({
  /** Steps done when it was taken. */
  step,
  /** Where in training it was taken; fine-tuning's first comes after pre-training's last. */
  stage: stageNameSchema,
  attempt: name,
  /** Prefix of its parts' keys. */
  key: z.string(),
  createdAt: z.iso.datetime(),
  /** The files of `partNames`, each. */
  parts: z.record(name, part).refine((parts) => needed.every((file) => file in parts), `expected ${needed.join(', ')}`),
  /** Kept for good: a finished stage's, or one of the configured distance. */
  milestone: z.boolean(),
});

/** What a run keeps checkpoints of: pre-training and fine-tuning share one run of them. */
export const checkpointStages = ['coarse', 'refinement'] as const;

/** `runs/RUN/STAGE/manifest.json`: what counts. Whatever it does not name does not exist. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  stage: z.enum(checkpointStages),
  /** Counts the writes: no two versions are alike. */
  revision: z.int().min(0),
  /** Who may write. A new attempt takes it over; the one before then fails its next write. */
  lease: z.strictObject({ attempt: z.string(), claimedAt: z.iso.datetime() }).nullable(),
  /** Attempts whose lease was taken over since the last sweep: nothing that they left unfinished can come to count. */
  overtaken: z.array(z.string()).optional(),
  /** In ascending order of step. */
  checkpoints: z.array(checkpointSchema),
  /** The final checkpoint of each stage that is done. */
  finished: z.partialRecord(
    stageNameSchema,
    z.strictObject({ step, key: z.string(), modelSha256: sha256, loss: z.number().nullable(), at: z.iso.datetime() }),
  ),
  /** Checkpoints that turned out damaged when they were read; their parts are left for whoever looks into it. */
  quarantined: z.array(
    z.strictObject({
      step,
      key: z.string(),
      reason: z.string(),
      at: z.iso.datetime(),
      /** As it counted, so that it can be tried again; absent in those of earlier versions. */
      checkpoint: checkpointSchema.optional(),
    }),
  ),
  /** Sealed segments of the event log, in their order: steps from `from` (included) to `to` (excluded). */
  events: z.array(z.strictObject({ key: z.string(), from: step, to: step })),
  /** Keys of objects that counted, or were doubles of what does, and are being deleted. */
  discarded: z.array(z.string()).optional(),
});

/** What a stage’s manifest holds. */
export type Manifest = z.infer<typeof manifestSchema>;
/** A checkpoint as the manifest names it. */
export type ManifestCheckpoint = z.infer<typeof checkpointSchema>;
export type QuarantinedCheckpoint = Manifest['quarantined'][number];
export type EventSegment = Manifest['events'][number];

/** A folder of checkpoints, by the model that they are of. */
export type CheckpointStage = (typeof checkpointStages)[number];

/** The folder of checkpoints that a stage trains into: pre-training and fine-tuning share one. */
export function checkpointStageOf(stage: TrainingStage): CheckpointStage {
  return stage === 'refinement' ? 'refinement' : 'coarse';
}
