import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { ContentDamaged, ObjectNotFound, PreconditionFailed, type ObjectStore } from '../../storage/types.js';
import { readSegment, SegmentDamaged } from '../events/readSegment.js';
import { discarding } from '../discarded.js';
import { emptyManifest, formatManifest, parseManifest } from '../manifest/manifest.js';
import type { CheckpointStage, Manifest } from '../manifest/manifestSchema.js';
import { DamagedCheckpoint, readParts } from '../reading/readCheckpoint.js';
import { listStageObjects, type EventObject } from '../objects/stageObjects.js';
import { chooseSegments, missingSteps, type SegmentCandidate } from './chooseSegments.js';
import { surveyCheckpoint, type SurveyedCheckpoint, type UnusableFolder } from './surveyCheckpoint.js';

/** What stands where a stage's manifest belongs. */
type FoundManifest =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly body: Uint8Array; readonly etag: string }
  | { readonly kind: 'readable'; readonly manifest: Manifest; readonly etag: string };

/** What a repair of a stage would do. */
export interface RepairPlan {
  readonly stage: CheckpointStage;
  readonly manifestKey: string;
  readonly found: FoundManifest;
  /** Checkpoints that would count, in ascending order of step. */
  readonly checkpoints: readonly SurveyedCheckpoint[];
  readonly unusable: readonly UnusableFolder[];
  /** The event log up to the newest of these, and what is missing of it. */
  readonly gaps: readonly (readonly [number, number])[];
  /** null: there is nothing to do, or nothing that it could be done with. */
  readonly manifest: Manifest | null;
}

/**
 * Makes a stage's manifest again from its checkpoints and event segments. One that can be read is only completed: by
 * checkpoints that are whole and newer than those that it names and that are there.
 *
 * @returns null for a stage that has not begun. Nothing is changed.
 */
export async function planRepair(
  store: ObjectStore,
  run: string,
  stage: CheckpointStage,
  configuration: RunConfiguration,
): Promise<RepairPlan | null> {
  const found = await findManifest(store, run, stage);
  const there = await listStageObjects(store, run, stage);
  if (found.kind === 'missing' && there.checkpoints.length + there.events.length === 0) return null;
  const before = found.kind === 'readable' ? found.manifest : emptyManifest(run, stage);
  const reached = found.kind === 'readable' ? await newestReadable(store, before) : -1;
  const wanted = there.checkpoints.filter(({ step, key }) => {
    return step > reached && !before.checkpoints.some((checkpoint) => checkpoint.key === key);
  });
  const surveyed: SurveyedCheckpoint[] = [];
  const unusable: UnusableFolder[] = [];
  for (const folder of wanted) {
    const outcome = await surveyCheckpoint(store, stage, folder, configuration);
    if ('checkpoint' in outcome) surveyed.push(outcome);
    else unusable.push(outcome);
  }
  // Attempts that saved the same step saved the same numbers.
  const added = new Map(surveyed.map((outcome) => [outcome.checkpoint.step, outcome]));
  const plan = { stage, manifestKey: keys.manifest(run, stage), found, checkpoints: [...added.values()], unusable };
  if (added.size === 0) return { ...plan, gaps: [], manifest: null };

  const checkpoints = [
    ...before.checkpoints.filter(({ step }) => step <= reached),
    ...plan.checkpoints.map(({ checkpoint }) => checkpoint),
  ];
  const newest = checkpoints.at(-1)!.step;
  const events = chooseSegments(await readSegments(store, there.events), checkpoints);
  const lost = before.checkpoints.filter(({ step }) => step > reached);
  const at = new Date().toISOString();
  const putAside = lost.map((checkpoint) => {
    return { step: checkpoint.step, key: checkpoint.key, reason: 'it could not be read at a repair', at, checkpoint };
  });
  const finished = plan.checkpoints.map((outcome) => outcome.finished);
  const isLost = (key: string): boolean => lost.some((checkpoint) => checkpoint.key === key);
  const kept = Object.entries(before.finished).filter(([, final]) => !isLost(final.key));
  const rebuilt: Manifest = {
    ...before,
    revision: before.revision + 1,
    lease: null,
    checkpoints,
    finished: Object.assign({}, Object.fromEntries(kept), ...finished) as Manifest['finished'],
    quarantined: [...before.quarantined, ...putAside],
    events,
  };
  // What counts again is not to be deleted.
  const manifest = discarding(rebuilt, [], new Set());
  return { ...plan, gaps: missingSteps(events, newest), manifest };
}

/**
 * Writes the manifest of a plan, if nobody has written one since. One that could not be read is kept beside it.
 *
 * @throws PreconditionFailed where somebody has: plan again.
 */
export async function applyRepair(store: ObjectStore, { manifest, found, manifestKey }: RepairPlan): Promise<void> {
  if (manifest === null) return;
  const contentType = 'application/json';
  if (found.kind === 'unreadable') await keepAside(store, manifest, found.body);
  const condition = found.kind === 'missing' ? { ifAbsent: true } : { ifMatch: found.etag };
  await store.put(manifestKey, formatManifest(manifest), { ...condition, contentType });
}

async function keepAside(store: ObjectStore, { run, stage }: Manifest, body: Uint8Array): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      await store.put(keys.unreadableManifest(run, stage, number), body, { ifAbsent: true });
      return;
    } catch (cause) {
      if (!(cause instanceof PreconditionFailed)) throw cause;
    }
  }
}

async function findManifest(store: ObjectStore, run: string, stage: CheckpointStage): Promise<FoundManifest> {
  try {
    const { body, information } = await store.get(keys.manifest(run, stage));
    try {
      return { kind: 'readable', manifest: parseManifest(body, run, stage), etag: information.etag };
    } catch (cause) {
      if (!(cause instanceof StoredObjectInvalid)) throw cause;
      return { kind: 'unreadable', reason: cause.message, body, etag: information.etag };
    }
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return { kind: 'missing' };
    if (cause instanceof ContentDamaged) return damagedManifest(store, cause);
    throw cause;
  }
}

/** One whose bytes changed where they lie. */
async function damagedManifest(store: ObjectStore, { key, message: reason }: ContentDamaged): Promise<FoundManifest> {
  // What is kept aside is what is there, whatever its checksum.
  const { body, information } = await store.get(key, { verifiedByCaller: true });
  return { kind: 'unreadable', reason, body, etag: information.etag };
}

/** Step of the newest checkpoint of a manifest whose parts are what was written; -1 if there is none. */
async function newestReadable(store: ObjectStore, { checkpoints }: Manifest): Promise<number> {
  for (const checkpoint of checkpoints.toReversed()) {
    try {
      await readParts(store, checkpoint);
      return checkpoint.step;
    } catch (cause) {
      if (!(cause instanceof DamagedCheckpoint)) throw cause;
    }
  }
  return -1;
}

/** What cannot be read is left out. */
async function readSegments(store: ObjectStore, events: readonly EventObject[]): Promise<SegmentCandidate[]> {
  const found: SegmentCandidate[] = [];
  for (const { key, from, attempt } of events) {
    try {
      found.push({ key, from, attempt, ...readSegment((await store.get(key)).body, key) });
    } catch (cause) {
      if (!(cause instanceof SegmentDamaged || cause instanceof ObjectNotFound)) throw cause;
    }
  }
  return found;
}
