import { proxyActivities } from '@temporalio/workflow';
import type { GpuActivities, PredictionPlan, RunInput } from '../activities/types.js';
import { taskQueues } from '../configs/temporal.js';
import { longActivity } from './activityOptions.js';
import { detailsOf } from './interruptions.js';
import { runAtMost } from './runAtMost.js';
import type { StepContext } from './step.js';
import type { PredictionSummary } from './types.js';

/**
 * Predicts shards on as many GPU workers as the configuration allows. Shards are idempotent: what a lost worker had
 * done is skipped by the next.
 */
export async function predictShards(
  step: 'predictions' | 'evaluation',
  input: RunInput,
  { shards, frames }: PredictionPlan,
  { board, pauses }: StepContext,
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
    const summary = `predict frames ${shard.from} to ${shard.to - 1}`;
    const options = longActivity(taskQueues.gpu, input.configuration, summary);
    const { predictShard } = proxyActivities<GpuActivities>(options);
    const result = await pauses.run(
      () => predictShard({ ...input, shard }),
      (interruption) => board.interrupted(step, detailsOf(interruption).interruptions),
    );
    board.interrupted(step, result.interruptions);
    done += shard.to - shard.from;
    predicted += result.predicted;
    failures += result.failures.length;
    show();
  });
  await runAtMost(input.configuration.predictions.shardsAtOnce, tasks);
  const interruptions = board.interruptions(step);
  return { frames, predicted, failures, ...(interruptions && { interruptions }) };
}
