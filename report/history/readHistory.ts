import { readScalars, SegmentDamaged } from '../../checkpoints/events/readSegment.js';
import { segmentsThatCount } from '../../checkpoints/events/segmentsThatCount.js';
import { checkpointStages, type CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { Series, type Curve } from './series.js';

/** A process that trained, from its first record in the event log to its last. Training that was thrown away is not there. */
export interface Attempt {
  readonly stage: CheckpointStage;
  readonly attempt: string;
  readonly fromStep: number;
  readonly toStep: number;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** A stage's model at its end, or as it is now. */
export interface TrainedModel {
  /** `coarse-pretraining`, … for one that is done; else where training stands. */
  readonly stage: string;
  readonly step: number;
  /** SHA-256 of the weights; null while it trains. */
  readonly sha256: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** What the event log and the manifests know about a run's training. */
export interface RunHistory {
  readonly curves: readonly Curve[];
  /** In the order in which they began. */
  readonly attempts: readonly Attempt[];
  readonly models: readonly TrainedModel[];
  /** Segments that could not be read, and why. */
  readonly problems: readonly string[];
}

/** @throws StoredObjectInvalid for a manifest of another form. */
export async function readHistory(store: ObjectStore, run: string, signal?: AbortSignal): Promise<RunHistory> {
  const curves: Curve[] = [];
  const attempts: Attempt[] = [];
  const models: TrainedModel[] = [];
  const problems: string[] = [];
  for (const stage of checkpointStages) {
    const manifest = await readManifest(store, run, stage);
    if (manifest === null) continue;
    const series = new Series();
    for (const { key } of await segmentsThatCount(store, manifest)) {
      signal?.throwIfAborted();
      const attempt = key.slice(key.lastIndexOf('.') + 1);
      try {
        const { body } = await store.get(key, signal ? { signal } : {});
        const span = series.addAll(readScalars(body, key));
        if (span !== null) join(attempts, { stage, attempt, ...span });
      } catch (error) {
        // The open segment is replaced as it grows, and removed when its attempt is given up.
        if (error instanceof SegmentDamaged) problems.push(error.message);
        else if (!(error instanceof ObjectNotFound)) throw error;
      }
    }
    curves.push(...series.curves(stage));
    models.push(
      ...Object.entries(manifest.finished).map(([name, { step, modelSha256, at }]) => {
        return { stage: name, step, sha256: modelSha256, at };
      }),
    );
    const newest = manifest.checkpoints.at(-1);
    if (newest !== undefined && manifest.finished[newest.stage] === undefined) {
      models.push({ stage: newest.stage, step: newest.step, sha256: null, at: newest.createdAt });
    }
  }
  return { curves, attempts: attempts.sort((a, b) => a.from - b.from), models, problems };
}

/** Segments of one attempt follow one another. */
function join(attempts: Attempt[], next: Attempt): void {
  const last = attempts.at(-1);
  if (last?.stage === next.stage && last.attempt === next.attempt) {
    attempts[attempts.length - 1] = {
      ...last,
      toStep: Math.max(last.toStep, next.toStep),
      to: Math.max(last.to, next.to),
    };
  } else attempts.push(next);
}
