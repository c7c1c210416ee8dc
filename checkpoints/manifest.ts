import { z } from 'zod';
import { keys } from '../storage/keys.js';
import type { TrainingStage } from '../configs/schema/training.js';

const step = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const stageName = z.enum(['coarse-pretraining', 'coarse-finetuning', 'refinement'] satisfies TrainingStage[]);

const checkpointSchema = z.strictObject({
  /** Steps done when it was taken. */
  step,
  /** Where in training it was taken; fine-tuning's first comes after pre-training's last. */
  stage: stageName,
  attempt: z.string(),
  /** Prefix of its parts' keys. */
  key: z.string(),
  createdAt: z.iso.datetime(),
  parts: z.record(z.string(), z.strictObject({ size: z.int().min(0), sha256 })),
  /** Kept for good: a finished stage's, or one of the configured distance. */
  milestone: z.boolean(),
});

/** `runs/RUN/STAGE/manifest.json`: what counts. Whatever it does not name does not exist. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  stage: z.enum(['coarse', 'refinement']),
  /** Counts the writes: no two versions are alike. */
  revision: z.int().min(0),
  /** Who may write. A new attempt takes it over; the one before then fails its next write. */
  lease: z.strictObject({ attempt: z.string(), claimedAt: z.iso.datetime() }).nullable(),
  /** In ascending order of step. */
  checkpoints: z.array(checkpointSchema),
  /** The final checkpoint of each stage that is done. */
  finished: z.partialRecord(
    stageName,
    z.strictObject({ step, key: z.string(), modelSha256: sha256, loss: z.number().nullable(), at: z.iso.datetime() }),
  ),
  /** Checkpoints that turned out damaged when they were read; their parts are left for whoever looks into it. */
  quarantined: z.array(z.strictObject({ step, key: z.string(), reason: z.string(), at: z.iso.datetime() })),
  /** Sealed segments of the event log, in their order: steps from `from` (included) to `to` (excluded). */
  events: z.array(z.strictObject({ key: z.string(), from: step, to: step })),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestCheckpoint = z.infer<typeof checkpointSchema>;
export type EventSegment = Manifest['events'][number];

/** Pre-training and fine-tuning share one run of checkpoints. */
export type CheckpointStage = Manifest['stage'];

export function checkpointStageOf(stage: TrainingStage): CheckpointStage {
  return stage === 'refinement' ? 'refinement' : 'coarse';
}

export function emptyManifest(run: string, stage: CheckpointStage): Manifest {
  return {
    version: 1,
    run,
    stage,
    revision: 0,
    lease: null,
    checkpoints: [],
    finished: {},
    quarantined: [],
    events: [],
  };
}

/** @throws Error saying what is wrong with the manifest of which run. */
export function parseManifest(bytes: Uint8Array, run: string, stage: CheckpointStage): Manifest {
  const file = keys.manifest(run, stage);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error(
      `${file} is not JSON. Restore it from an earlier version of the object, if the bucket keeps them.`,
      {
        cause,
      },
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { version } = json as { version?: unknown };
  if (version !== 1) {
    throw new Error(`${file} has version ${String(version)}; this program reads version 1. Update the workers.`);
  }
  throw new Error(`${file} is damaged: ${z.prettifyError(parsed.error)}`);
}

export function formatManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}
