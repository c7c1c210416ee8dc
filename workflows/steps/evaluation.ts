import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities, EvaluationSummary } from '../../activities/types.js';
import { longActivity, queues, shortActivity } from '../control/activityOptions.js';
import { evaluationNote } from '../progress/notes.js';
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
    const { evaluate } = proxyActivities<DataActivities>(measuring);
    const result = await counted(() => evaluate(input));
    const interruptions = board.interruptions('evaluation');
    return { result: { ...result, ...(interruptions && { interruptions }) }, note: evaluationNote(result) };
  });
}
