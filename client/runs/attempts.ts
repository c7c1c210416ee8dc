import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '../temporal.js';
import type { Interruptions, RunInput } from '../../activities/types.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { messages, runSteps, type RunStep } from '../../configs/temporal.js';
import type { InterruptionsByStep, KnownSteps } from '../../workflows/types.js';
import { describeRun, queryProgress } from './describeRun.js';
import { inputOf } from './workflowInput.js';

/**
 * Tells the workflows of a run, before they are stopped, what their activities that wait for their next attempt have gone
 * through: such an activity ends silently, and Temporal forgets its attempts.
 */
export async function tellAttempts(client: Client, run: string): Promise<void> {
  const { activities } = await describeRun(client, run);
  const told = new Map<string, Record<string, Interruptions>>();
  for (const { workflowId, activityId, state, interruptions } of activities) {
    if (state !== 'waiting' || interruptions.preemptions + interruptions.failures === 0) continue;
    told.set(workflowId, { ...told.get(workflowId), [activityId]: interruptions });
  }
  for (const [workflowId, attempts] of told) {
    // One that has ended meanwhile needs no message.
    await client.workflow
      .getHandle(workflowId)
      .signal(messages.attempts, attempts)
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  }
}

/** What is known of a run from executions that have ended. */
export interface BeforeRun {
  readonly interruptions: InterruptionsByStep;
  readonly knownSteps: KnownSteps;
}

/**
 * What the steps of a run went through in the executions that have ended, and the checkpoints that they are known to have
 * saved in the same store: no worker, no answer.
 */
export async function beforeRun(
  client: Client,
  run: string,
  { storage }: RunConfiguration,
  steps: readonly RunStep[] = runSteps,
): Promise<BeforeRun> {
  const interruptions: Partial<Record<RunStep, Interruptions>> = {};
  const knownSteps: Partial<Record<TrainingStage, number>> = {};
  await Promise.all(
    steps.map(async (step) => {
      const handle = client.workflow.getHandle(`${run}/${step}`);
      let description;
      try {
        description = await handle.describe();
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return;
        throw error;
      }
      const progress = await queryProgress(client, handle);
      const interrupted = progress?.steps.find((state) => state.step === step)?.interruptions;
      if (interrupted !== undefined) interruptions[step] = interrupted;
      const { stage, checkpointStep = null } = progress?.training ?? {};
      if (stage === undefined || checkpointStep === null) return;
      const before = await inputOf<Partial<RunInput>>(client, description);
      if (placeOf(before.configuration?.storage) === placeOf(storage)) knownSteps[stage] = checkpointStep;
    }),
  );
  return { interruptions, knownSteps };
}

/** Where a store's objects lie; how it is reached may change. */
function placeOf(storage: StorageConfiguration | undefined): string {
  if (storage?.kind === 's3') return JSON.stringify([storage.bucket, storage.prefix]);
  return JSON.stringify(storage?.path);
}
