import { z } from 'zod';
import { keys } from '../../storage/keys.js';
import { parseStored, sha256Schema as sha256, StoredObjectInvalid } from '../../storage/storedJson.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { misplacedKeys } from './manifestKeys.js';

const step = z.int().min(0);
export const stageNameSchema = z.enum([
  'coarse-pretraining',
  'coarse-finetuning',
  'refinement',
] satisfies TrainingStage[]);
/** Names the file of a part, or an attempt: never a path. */
const name = z.string().regex(/^\w[\w.-]*$/, 'expected letters, digits, "_", "-" and "."');

const checkpointSchema = z.strictObject({
  /** Steps done when it was taken. */
  step,
  /** Where in training it was taken; fine-tuning's first comes after pre-training's last. */
  stage: stageNameSchema,
  attempt: name,
  /** Prefix of its parts' keys. */
  key: z.string(),
  createdAt: z.iso.datetime(),
  parts: z.record(name, z.strictObject({ size: z.int().min(0), sha256 })),
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

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestCheckpoint = z.infer<typeof checkpointSchema>;
export type QuarantinedCheckpoint = Manifest['quarantined'][number];
export type EventSegment = Manifest['events'][number];

export type CheckpointStage = (typeof checkpointStages)[number];

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

const todo =
  'Nothing was changed. Restore it from an earlier version of the object, if the bucket keeps them, or rebuild it: tempeh-flow repair';

/**
 * Every key that the manifest names is one of its own run and stage.
 *
 * @throws StoredObjectInvalid naming the first field that is wrong.
 * @throws Error for a manifest of a newer version of this program.
 */
export function parseManifest(bytes: Uint8Array, run: string, stage: CheckpointStage): Manifest {
  const file = keys.manifest(run, stage);
  const form = { schema: manifestOf(run, stage), todo: `${todo} ${run}` };
  try {
    return parseStored(bytes, file, form);
  } catch (cause) {
    const version = versionOf(bytes);
    if (!(cause instanceof StoredObjectInvalid) || version === null || version <= 1) throw cause;
    throw new Error(`${file} has version ${version}; this program reads version 1. Update the workers.`, { cause });
  }
}

function manifestOf(run: string, stage: CheckpointStage): z.ZodType<Manifest> {
  return manifestSchema.superRefine((manifest, context) => {
    for (const [field, found] of [
      ['run', manifest.run === run],
      ['stage', manifest.stage === stage],
    ] as const) {
      if (!found)
        context.addIssue({ code: 'custom', path: [field], message: `found that of another: ${manifest[field]}` });
    }
    for (const { path, found, expected } of misplacedKeys(manifest, run, stage)) {
      context.addIssue({ code: 'custom', path, message: `found ${found}, expected ${expected}` });
    }
    const { checkpoints } = manifest;
    const unordered = checkpoints.findIndex((checkpoint, i) => i > 0 && checkpoint.step <= checkpoints[i - 1]!.step);
    if (unordered > 0) {
      const message = `found ${checkpoints[unordered]!.step}, expected more than that of the one before`;
      context.addIssue({ code: 'custom', path: ['checkpoints', unordered, 'step'], message });
    }
  });
}

function versionOf(bytes: Uint8Array): number | null {
  try {
    return z.object({ version: z.int() }).parse(JSON.parse(new TextDecoder().decode(bytes))).version;
  } catch {
    return null;
  }
}

export function formatManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}
