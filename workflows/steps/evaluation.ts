import { patched, proxyActivities } from '@temporalio/workflow';
import type { DataActivities, EvaluationSummary } from '../../activities/types.js';
import { longActivity, queues, shortActivity } from '../control/activityOptions.js';
import { evaluationNote } from '../../text/stepNotes.js';
import { evaluateShards } from '../distribution/evaluateShards.js';
import { predictShards } from '../distribution/predictShards.js';
import { runStep } from '../control/step.js';
import type { StepInput } from '../types.js';

/** Predictions of the test set through both stages, and how far they are from scans and registrations. */
export async function evaluation(input: StepInput): Promise<EvaluationSummary> {
  return runStep('evaluation', input, async (context) => {
    const { board, pauses, counted } = context;
    const planning = shortActivity('list the test shards that are still to do');
    const { planPredictions } = proxyActivities<DataActivities>(planning);
    const plan = await pauses.run(() => planPredictions({ ...input, purpose: 'test' }));
    await predictShards('evaluation', input, plan, context);
    const measuring = longActivity(queues().data, input.configuration, `measure ${plan.frames} test frames`);
    const { evaluate, planEvaluation } = proxyActivities<DataActivities>(measuring);
    let token: string | undefined;
    // Histories of before have all of it in one activity.
    if (patched('evaluation-shards')) {
      const shards = await counted(() => planEvaluation(input));
      await evaluateShards(input, shards, context);
      ({ token } = shards);
    }
    const result = await counted(() => evaluate({ ...input, ...(token !== undefined && { token }) }));
    const interruptions = board.interruptions('evaluation');
    return { result: { ...result, ...(interruptions && { interruptions }) }, note: evaluationNote(result) };
  });
}
