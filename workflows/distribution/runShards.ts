import type { MaybeInterrupted } from '../../activities/types.js';
import type { ListRange } from '../../inference/folders/job.js';
import type { PredictionResult } from '../../inference/protocol.js';
import { runAtMost } from './runAtMost.js';
import type { StepContext } from '../control/step.js';
import type { PredictionSummary } from '../types.js';

export interface ShardRunner<Shard> {
  readonly step: 'predictions' | 'evaluation';
  /** Shards at once. */
  readonly atOnce: number;
  /** Schedules a shard. */
  readonly predict: (shard: Shard) => Promise<PredictionResult & MaybeInterrupted>;
  /** Given what came of each shard. */
  readonly onResult?: (result: PredictionResult) => void;
}

/**
 * Predicts shards, and keeps the board's count of frames. Shards are idempotent: what a lost worker had done is skipped
 * by the next.
 *
 * @param plan shards that are to do; `frames` of all, done or not.
 */
export async function runShards<Shard extends ListRange>(
  { shards, frames }: { readonly shards: readonly Shard[]; readonly frames: number },
  { board, counted }: StepContext,
  { step, atOnce, predict, onResult = () => {} }: ShardRunner<Shard>,
): Promise<PredictionSummary> {
  const startedAt = Date.now();
  const there = frames - shards.reduce((sum, { from, to }) => sum + to - from, 0);
  let done = there;
  let predicted = 0;
  let failures = 0;
  const show = () => {
    const seconds = (Date.now() - startedAt) / 1000;
    const framesPerSecond = seconds > 0 ? (done - there) / seconds : 0;
    board.setPredictions({ done, total: frames, skipped: there, framesPerSecond });
  };
  show();
  const tasks = shards.map((shard) => async () => {
    const result = await counted(() => predict(shard));
    done += shard.to - shard.from;
    predicted += result.predicted;
    failures += result.failed ?? result.failures.length;
    onResult(result);
    show();
  });
  await runAtMost(atOnce, tasks);
  const interruptions = board.interruptions(step);
  return { frames, predicted, failures, ...(interruptions && { interruptions }) };
}
