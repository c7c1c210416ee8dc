import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Interruptions } from '../activities/types.js';
import { messages, runSteps, type RunStep } from '../configs/temporal.js';
import type { InterruptionsByStep } from '../workflows/types.js';
import { describeRun, queryProgress } from './describeRun.js';

/**
 * Tells the workflows of a run, before they are stopped, what their activities that wait for their next attempt have gone
 * through: such an activity ends without a word, and Temporal forgets its attempts.
 */
export async function tellAttempts(client: Client, run: string): Promise<void> {
  const { activities } = await describeRun(client, run);
  const told = new Map<string, Record<string, Interruptions>>();
  for (const { workflowId, activityId, state, interruptions } of activities) {
    if (state !== 'waiting' || interruptions.preemptions + interruptions.failures === 0) continue;
    told.set(workflowId, { ...told.get(workflowId), [activityId]: interruptions });
  }
  for (const [workflowId, attempts] of told) {
    // One that has ended meanwhile needs no telling.
    await client.workflow
      .getHandle(workflowId)
      .signal(messages.attempts, attempts)
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  }
}

/** What the steps of a run went through in the executions that have ended: no worker, no answer. */
export async function interruptionsBefore(
  client: Client,
  run: string,
  steps: readonly RunStep[] = runSteps,
): Promise<InterruptionsByStep> {
  const counted = await Promise.all(
    steps.map(async (step): Promise<[RunStep, Interruptions] | null> => {
      const handle = client.workflow.getHandle(`${run}/${step}`);
      try {
        await handle.describe();
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
      const progress = await queryProgress(client, handle);
      const interruptions = progress?.steps.find((state) => state.step === step)?.interruptions;
      return interruptions === undefined ? null : [step, interruptions];
    }),
  );
  return Object.fromEntries(counted.filter((pair) => pair !== null));
}
