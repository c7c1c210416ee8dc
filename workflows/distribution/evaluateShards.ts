import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities, EvaluationPlan, RunInput } from '../../activities/types.js';
import { longActivity, queues } from '../control/activityOptions.js';
import type { StepContext } from '../control/step.js';
import { runAtMost } from './runAtMost.js';

/** Measures shards of a run's test set on as many data workers as there are, one a worker at a time. */
export async function evaluateShards(
  { run, configuration }: RunInput,
  { shards, frames, token }: EvaluationPlan,
  { board, counted }: StepContext,
): Promise<void> {
  const { storage, predictions } = configuration;
  const startedAt = Date.now();
  const there = frames - shards.reduce((sum, { from, to }) => sum + to - from, 0);
  let done = there;
  const show = (): void => {
    const seconds = (Date.now() - startedAt) / 1000;
    const framesPerSecond = seconds > 0 ? (done - there) / seconds : 0;
    board.setMeasured({ done, total: frames, skipped: there, framesPerSecond });
  };
  show();
  const tasks = shards.map((shard) => async () => {
    const summary = `measure test frames ${shard.from} to ${shard.to - 1}`;
    const { evaluateShard } = proxyActivities<DataActivities>(longActivity(queues().evaluate, configuration, summary));
    await counted(() => evaluateShard({ run, storage, token, shard }));
    done += shard.to - shard.from;
    show();
  });
  await runAtMost(predictions.shardsAtOnce, tasks);
}
