import { keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { ManifestMissing } from '../errors.js';
import { orInvalid } from '../../storage/storedJson.js';
import { manifestTodo, parseManifest } from './manifest.js';
import type { CheckpointStage, Manifest } from './manifestSchema.js';
import { listStageObjects } from '../objects/stageObjects.js';

/** A manifest, and what the next conditional put names. */
export interface ManifestVersion {
  readonly manifest: Manifest;
  readonly etag: string;
}

/**
 * Reads without claiming: what everyone but the trainer does. null if the stage has not begun.
 *
 * @throws ManifestMissing where there is none, although objects of the stage are there.
 * @throws StoredObjectInvalid
 */
export async function readManifest(store: ObjectStore, run: string, stage: CheckpointStage): Promise<Manifest | null> {
  return (await readBegun(store, run, stage))?.manifest ?? null;
}

/** As `readManifest`, with the version. */
export async function readBegun(
  store: ObjectStore,
  run: string,
  stage: CheckpointStage,
): Promise<ManifestVersion | null> {
  const found = await readVersion(store, run, stage);
  if (found !== null) return found;
  const { checkpoints, events } = await listStageObjects(store, run, stage);
  if (checkpoints.length + events.length === 0) return null;
  // An attempt may have begun the stage since.
  const later = await readVersion(store, run, stage);
  if (later !== null) return later;
  const steps = [...new Set(checkpoints.filter(({ isWhole }) => isWhole).map(({ step }) => step))];
  throw new ManifestMissing(run, keys.manifest(run, stage), store.description, { steps, segments: events.length });
}

/** null if there is none, whatever else is there. @throws StoredObjectInvalid */
export async function readVersion(
  store: ObjectStore,
  run: string,
  stage: CheckpointStage,
): Promise<ManifestVersion | null> {
  try {
    const { body, information } = await store.get(keys.manifest(run, stage));
    return { manifest: parseManifest(body, run, stage), etag: information.etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw orInvalid(cause, manifestTodo(run));
  }
}
