import type { ObjectInformation } from '../storage/types.js';
import type { Manifest, ManifestCheckpoint } from './manifest.js';
import type { CheckpointFolder, EventObject, StageObjects } from './stageObjects.js';
import { partNames } from './trainingState.js';

export interface StrayRules {
  /** Whose lease was taken over, so that nothing that it left can come to count; null if there was none. */
  readonly previousAttempt: string | null;
  /** Whether it has lain there for as long as the configuration asks of what nobody is known to have left. */
  readonly isOld: (object: ObjectInformation) => boolean;
}

/**
 * Keys of objects that the manifest does not name and that may be deleted:
 * - what a checkpoint that counts, and is there, has overtaken: retention's leftovers, doubles of other attempts, the
 *   events of steps that were logged again;
 * - of what lies beyond it, what the attempt before left unfinished, and unfinished things that are old.
 *
 * A whole checkpoint beyond the newest that counts stays, with the events that lead up to it: the manifest may be an
 * older version that was restored. What has another name than those that this program gives is not ours.
 *
 * List the objects *before* a write of the manifest and delete them *after* it succeeded: then nobody had taken over when
 * the list was made, and nothing of a newer attempt can be in it.
 */
export function strayObjects(there: StageObjects, manifest: Manifest, rules: StrayRules): string[] {
  const { checkpoints, quarantined, events } = manifest;
  const folders = new Map(there.checkpoints.map((folder) => [folder.key, folder]));
  const reached = checkpoints.findLast((checkpoint) => isThere(checkpoint, folders.get(checkpoint.key)))?.step ?? -1;
  const namedFolders = new Set([...checkpoints, ...quarantined].map(({ key }) => key));
  const unnamed = there.checkpoints.filter(({ key }) => !namedFolders.has(key));
  const mayGo = (owner: { readonly attempt: string }, object: ObjectInformation): boolean =>
    owner.attempt === rules.previousAttempt || rules.isOld(object);

  const kept = unnamed.filter(({ step, isWhole }) => step > reached && isWhole);
  const parts = unnamed
    .filter((folder) => !kept.includes(folder))
    .flatMap((folder) => partsOf(folder).filter((object) => folder.step <= reached || mayGo(folder, object)));

  const namedSegments = new Set(events.map(({ key }) => key));
  const isLeadingUp = ({ from }: EventObject): boolean => kept.some(({ step }) => step > from);
  const segments = there.events.filter((segment) => {
    if (namedSegments.has(segment.key)) return false;
    return segment.from < reached || (!isLeadingUp(segment) && mayGo(segment, segment));
  });
  const checks = there.others.filter(({ key }) => /\/conditional-put-check(-[^/]+)?$/.test(key));
  return [...parts, ...segments, ...checks].map(({ key }) => key);
}

function partsOf({ key, objects }: CheckpointFolder): ObjectInformation[] {
  return objects.filter((object) => partNames.some((name) => object.key === `${key}/${name}`));
}

/** All parts, of the size that was written. */
function isThere({ key, parts }: ManifestCheckpoint, folder: CheckpointFolder | undefined): boolean {
  const sizes = new Map(folder?.objects.map((object) => [object.key, object.size]));
  return Object.entries(parts).every(([name, { size }]) => sizes.get(`${key}/${name}`) === size);
}
