import { proxyActivities } from '@temporalio/workflow';
import type { GpuActivities, PredictionPlan, PredictionShard, RunInput } from '../../activities/types.js';
import { predictActivity } from '../control/activityOptions.js';
import { runShards } from './runShards.js';
import type { StepContext } from '../control/step.js';
import type { PredictionSummary } from '../types.js';

/** Predicts shards of a run's frames on as many GPU workers as the configuration allows. */
export async function predictShards(
  step: 'predictions' | 'evaluation',
  input: RunInput,
  plan: PredictionPlan,
  context: StepContext,
): Promise<PredictionSummary> {
  const { run, configuration } = input;
  const predict = (shard: PredictionShard) => {
    const summary = `predict frames ${shard.from} to ${shard.to - 1}`;
    const options = predictActivity(configuration, summary);
    return proxyActivities<GpuActivities>(options).predictShard({ run, storage: configuration.storage, shard });
  };
  return runShards(plan, context, { step, atOnce: configuration.predictions.shardsAtOnce, predict });
}
