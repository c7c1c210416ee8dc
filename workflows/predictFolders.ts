import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { FolderPredictionInput, GpuActivities } from '../activities/types.js';
import type { FrameFailure, ListRange } from '../inference/folders/job.js';
import { predictActivity } from './control/activityOptions.js';
import { predictionsNote } from '../text/stepNotes.js';
import { runShards } from './distribution/runShards.js';
import { runStep } from './control/step.js';
import type { FolderPredictionSummary } from './types.js';

/** Failures that are kept with their reasons: a payload must not outgrow what Temporal takes. */
const failuresKept = 1000;
const failuresOfResult = 10;

/**
 * Predicts the frames of folders (`tempeh-flow predict … --workflow`) on the GPU workers, which see them under the same
 * paths. Frames whose predictions are there are not predicted again; one that cannot be predicted is reported beside the
 * predictions, or ends it where the job is strict.
 */
export async function predictFolders(input: FolderPredictionInput): Promise<FolderPredictionSummary> {
  const { run, job } = input;
  const { configuration } = job;
  const onGpu = (summary: string): GpuActivities =>
    proxyActivities<GpuActivities>(predictActivity(configuration, summary));
  const work = async (context: Parameters<Parameters<typeof runStep>[2]>[0]) => {
    const { pauses } = context;
    const plan = await pauses.run(() => onGpu('look at the folders').planFolderPrediction(input));
    const failures: FrameFailure[] = [];
    const shardOf = ({ from, to }: ListRange): FolderPredictionInput => ({
      run,
      // What was to be replaced is gone since the planning.
      job: { ...job, overwrite: false, list: { ...job.list, from, to } },
    });
    context.board.interrupted('predictions', plan.interruptions);
    const summary = await runShards(plan, context, {
      step: 'predictions',
      atOnce: configuration.predictions.shardsAtOnce,
      predict: (shard) => onGpu(`predict frames ${shard.from} to ${shard.to - 1}`).predictFolderShard(shardOf(shard)),
      onResult: (result) => failures.push(...result.failures.slice(0, failuresKept - failures.length)),
    });
    await pauses.run(() => onGpu('note the frames that failed').noteFailedFrames({ ...input, failures }));
    const [first] = failures;
    if (first !== undefined && summary.failures === summary.frames) {
      throw ApplicationFailure.nonRetryable(noneOf(summary.frames, first), 'DataUnusable');
    }
    const out = job.outputs.refinement ?? job.outputs.coarse ?? '';
    const result = { ...summary, out, firstFailures: failures.slice(0, failuresOfResult) };
    return { result, note: predictionsNote(summary) };
  };
  return runStep('predictions', { run, configuration }, work, { isRun: false });
}

function noneOf(frames: number, { id, reason }: FrameFailure): string {
  const name = `${id.subject}/${id.sequence}/${id.frame}`;
  return `None of ${frames} frames could be predicted; the first, ${name}: ${reason}`;
}
