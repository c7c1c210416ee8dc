import type { CheckpointConfiguration } from '../../configs/schema/training.js';
import type { ManifestCheckpoint } from '../manifest/manifestSchema.js';

/**
 * Which checkpoints stay: the last few, and milestones. The others' parts are to be deleted once the manifest no longer names
 * them.
 */
export function retain(
  checkpoints: readonly ManifestCheckpoint[],
  { keepLast }: CheckpointConfiguration,
): { kept: ManifestCheckpoint[]; dropped: ManifestCheckpoint[] } {
  const firstOfLast = checkpoints.length - keepLast;
  const stays = ({ milestone }: ManifestCheckpoint, index: number): boolean => milestone || index >= firstOfLast;
  return {
    kept: checkpoints.filter(stays),
    dropped: checkpoints.filter((checkpoint, index) => !stays(checkpoint, index)),
  };
}
