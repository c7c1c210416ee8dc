import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '../temporal.js';
import type { Interruptions, RunInput } from '../../activities/types.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { messages, runSteps, type RunStep } from '../../configs/temporal.js';
import type { InterruptionsByStep, KnownSteps, SecondsByStep } from '../../workflows/types.js';
import { orUnreadable, withoutPayloads } from '../payloads/withoutPayloads.js';
import { describeRun, queryProgress } from './describeRun.js';
import { recordedProgress, recordedStep } from './recordedProgress.js';
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

/** What is known of a run from executions that have ended; what nothing is known of is left out. */
export interface BeforeRun {
  readonly interruptions?: InterruptionsByStep;
  readonly knownSteps?: KnownSteps;
  readonly secondsBefore?: SecondsByStep;
}

export interface BeforeRunOptions {
  /** All if absent. */
  readonly steps?: readonly RunStep[];
  /** Seconds that a worker is given to answer: more where one has just been started. */
  readonly answerSeconds?: number;
}

/**
 * What the steps of a run went through and took in the executions that have ended, and the checkpoints that they are known to
 * have saved in the same store. Where no worker answers it is what Temporal has recorded; where the run's key is lost, nothing.
 */
export async function beforeRun(
  client: Client,
  run: string,
  { storage }: RunConfiguration,
  { steps = runSteps, answerSeconds }: BeforeRunOptions = {},
): Promise<BeforeRun> {
  const interruptions: Partial<Record<RunStep, Interruptions>> = {};
  const knownSteps: Partial<Record<TrainingStage, number>> = {};
  const names = withoutPayloads(client);
  const secondsBefore = secondsOf(client, names, run, answerSeconds);
  await Promise.all(
    steps.map(async (step) => {
      const handle = client.workflow.getHandle(`${run}/${step}`);
      let description;
      try {
        description = await names.workflow.getHandle(handle.workflowId).describe();
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return;
        throw error;
      }
      const progress = await queryProgress(client, handle, answerSeconds);
      const recorded =
        progress === null ? await withinSeconds(client, () => recordedStep(client, { step }, description)) : null;
      const state = progress?.steps.find((one) => one.step === step) ?? recorded?.state;
      if (state?.interruptions !== undefined) interruptions[step] = state.interruptions;
      const stage = progress?.training?.stage ?? stageOf(step);
      const checkpointStep = progress?.training?.checkpointStep ?? recorded?.checkpointStep ?? null;
      if (stage === null || checkpointStep === null) return;
      const before = await inputOf<Partial<RunInput>>(client, description).catch(orUnreadable);
      if (placeOf(before?.configuration?.storage) === placeOf(storage)) knownSteps[stage] = checkpointStep;
    }),
  );
  const known = Object.entries({ interruptions, knownSteps, secondsBefore: await secondsBefore });
  return Object.fromEntries(known.filter(([, bySteps]) => Object.keys(bySteps).length > 0));
}

/** null where Temporal does not say in time, or the run's key is lost. */
async function withinSeconds<T>(client: Client, ask: () => Promise<T>): Promise<T | null> {
  return client.withDeadline(Date.now() + recordSeconds * 1000, ask).catch(() => null);
}

/** That Temporal has to say what it has recorded. */
const recordSeconds = 10;

function stageOf(step: RunStep): TrainingStage | null {
  return step === 'coarse-pretraining' || step === 'coarse-finetuning' || step === 'refinement' ? step : null;
}

/** What the steps of a run took until its last execution ended. @param names the client without payloads. */
async function secondsOf(
  client: Client,
  names: Client,
  run: string,
  answerSeconds: number | undefined,
): Promise<SecondsByStep> {
  const handle = client.workflow.getHandle(run);
  let description;
  try {
    description = await names.workflow.getHandle(run).describe();
  } catch (error) {
    // There may be steps by themselves.
    if (error instanceof WorkflowNotFoundError) return {};
    throw error;
  }
  const closedAt = description.closeTime?.getTime() ?? Date.now();
  const progress =
    (await queryProgress(client, handle, answerSeconds)) ??
    (await recordedProgress(client, { handle, description, step: null }, run));
  const taken: Partial<Record<RunStep, number>> = {};
  for (const { step, seconds, startedAt, secondsBefore = 0 } of progress?.steps ?? []) {
    // One that was terminated could not count.
    const now = startedAt === null ? 0 : Math.max(0, (closedAt - Date.parse(startedAt)) / 1000);
    const sum = seconds ?? secondsBefore + now;
    if (sum > 0) taken[step] = Math.round(sum * 10) / 10;
  }
  return taken;
}

/** Where a store's objects lie; how it is reached may change. */
function placeOf(storage: StorageConfiguration | undefined): string {
  if (storage?.kind === 's3') return JSON.stringify([storage.bucket, storage.prefix]);
  return JSON.stringify(storage?.path);
}
