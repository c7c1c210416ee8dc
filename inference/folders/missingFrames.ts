import type { FrameId } from '../../datasets/types.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import type { OpenedJob } from './openJob.js';

const looksAtOnce = 16;

/**
 * Indices of the frames of which not all predictions are there, in their order.
 *
 * @param onLook called with the frames that were looked at so far; what it throws ends the looking.
 */
export async function missingFrames(
  { frames, outputs }: OpenedJob,
  onLook: (looked: number) => void = () => {},
): Promise<number[]> {
  const folders = [outputs.coarse, outputs.refinement].filter((folder) => folder !== null);
  const isThere = async (id: FrameId): Promise<boolean> => {
    const found = await Promise.all(folders.map((folder) => folder.has(id)));
    return !found.includes(false);
  };
  const there = await mapLimited(frames, looksAtOnce, (id, index) => {
    onLook(index);
    return isThere(id);
  });
  return there.flatMap((is, index) => (is ? [] : [index]));
}
