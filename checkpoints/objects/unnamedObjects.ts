import type { ObjectInformation } from '../../storage/types.js';
import { discardedObjects } from '../discarded.js';
import type { Manifest, ManifestCheckpoint } from '../manifest/manifestSchema.js';
import type { CheckpointFolder, EventObject, StageObjects } from './stageObjects.js';
import { partNames } from '../reading/trainingState.js';

export interface SweepRules {
  /** Whose lease was taken over, so that nothing that they left can come to count. */
  readonly overtaken: readonly string[];
  /** Whether it has lain there for as long as the configuration asks of what nobody is known to have left. */
  readonly isOld: (object: ObjectInformation) => boolean;
}

/**
 * Keys of objects that the manifest does not name and that may be deleted: what it says to be discarded, what superseded
 * attempts left unfinished, and unfinished things and segments of events that are old.
 *
 * A whole checkpoint stays, whether the manifest has got beyond it or not, and with one beyond the newest that counts the
 * events that lead up to it: the manifest may be an older version that was restored, or one that lost its milestones. What
 * has another name than those that this program gives is not ours.
 *
 * List the objects *before* a write of the manifest and delete them *after* it succeeded: then nobody had taken over when
 * the list was made, and nothing of a newer attempt can be in it.
 */
export function unnamedObjects(there: StageObjects, manifest: Manifest, rules: SweepRules): string[] {
  const { checkpoints, quarantined, events } = manifest;
  const discarded = new Set(discardedObjects(manifest));
  const overtaken = new Set(rules.overtaken);
  const mayGo = (owner: { readonly attempt: string }, object: ObjectInformation): boolean =>
    discarded.has(object.key) || overtaken.has(owner.attempt) || rules.isOld(object);

  const namedFolders = new Set([...checkpoints, ...quarantined].map(({ key }) => key));
  const unnamed = there.checkpoints.filter(({ key }) => !namedFolders.has(key));
  const parts = unnamed.flatMap((folder) => {
    return partsOf(folder).filter((object) => (folder.isWhole ? discarded.has(object.key) : mayGo(folder, object)));
  });

  const folders = new Map(there.checkpoints.map((folder) => [folder.key, folder]));
  const reached = checkpoints.findLast((checkpoint) => isThere(checkpoint, folders.get(checkpoint.key)))?.step ?? -1;
  const beyond = unnamed.filter(({ step, isWhole }) => isWhole && step > reached);
  const namedSegments = new Set(events.map(({ key }) => key));
  const isLeadingUp = ({ from }: EventObject): boolean => from >= reached && beyond.some(({ step }) => step > from);
  const segments = there.events.filter((segment) => {
    return !namedSegments.has(segment.key) && !isLeadingUp(segment) && mayGo(segment, segment);
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
