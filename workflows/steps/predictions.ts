import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities } from '../../activities/types.js';
import { shortActivity } from '../control/activityOptions.js';
import { predictionsNote } from '../../text/stepNotes.js';
import { predictShards } from '../distribution/predictShards.js';
import { runStep } from '../control/step.js';
import type { PredictionSummary, StepInput } from '../types.js';

/** The coarse model's predictions of all frames that refinement trains on. */
export async function predictions(input: StepInput): Promise<PredictionSummary> {
  return runStep('predictions', input, async (context) => {
    const options = shortActivity('list the shards that are still to do');
    const { planPredictions } = proxyActivities<DataActivities>(options);
    const plan = await context.pauses.run(() => planPredictions({ ...input, purpose: 'refinement-input' }));
    const result = await predictShards('predictions', input, plan, context);
    return { result, note: predictionsNote(result) };
  });
}
