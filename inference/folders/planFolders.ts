import { PredictionStopped } from '../stopped.js';
import type { FolderPlan, FolderPredictionJob, ListRange } from './job.js';
import { missingFrames } from './missingFrames.js';
import { openJob } from './openJob.js';

/** Each shard loads the models anew, which takes seconds: fewer frames are not worth it. */
const fewestFrames = 8;

/**
 * What is to be predicted of a job, in shards for several workers; checks all that the job names, so that a mistake is
 * found once and not by every worker. Where predictions are to be replaced, those that are there are removed first: the
 * shards are then predicted with `overwrite: false`, and skip what an interrupted attempt at them has left.
 *
 * @param signal aborted: PredictionStopped is thrown.
 * @throws as `openJob`
 */
export async function planFolders(
  job: FolderPredictionJob,
  report: (message: string) => void,
  signal: AbortSignal,
): Promise<FolderPlan> {
  report('Looking at the folders');
  const opened = await openJob(job);
  const { frames, outputs } = opened;
  if (job.overwrite) {
    report('Removing the predictions that are to be replaced');
    for (const folder of [outputs.coarse, outputs.refinement]) await folder?.clear(frames);
  }
  let told = 0;
  const missing = await missingFrames(opened, (looked) => {
    if (signal.aborted) throw new PredictionStopped(`Planning was stopped: ${String(signal.reason)}`);
    if (looked - told < 1000) return;
    told = looked;
    report(`Looking at the folders: ${looked} of ${frames.length} frames`);
  });
  const { framesPerShard, shardsAtOnce } = job.configuration.predictions;
  // Two rounds, so that the fastest worker takes more of them, but no more frames than a shard is to have.
  const even = Math.ceil(missing.length / (2 * shardsAtOnce));
  const size = Math.min(framesPerShard, Math.max(fewestFrames, even));
  return { frames: frames.length, shards: shardsOf(missing, size, job.list.from) };
}

/** @param missing indices among the job's frames, ascending. @param first index in the list of the job's first frame. */
function shardsOf(missing: readonly number[], size: number, first: number): ListRange[] {
  const shards: ListRange[] = [];
  for (let i = 0; i < missing.length; i += size) {
    const some = missing.slice(i, i + size);
    shards.push({ from: first + some[0]!, to: first + some.at(-1)! + 1 });
  }
  return shards;
}
