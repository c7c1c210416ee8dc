import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { messages, runSteps, type RunStep } from '../configs/temporal.js';
import type { RunProgress } from '../workflows/types.js';
import { failureOf, pendingActivities, type PendingActivity } from './pendingActivities.js';
import { findRun, type FoundRun } from './runs.js';

export interface RunDescription {
  readonly run: string;
  readonly workflowId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
  /** Why it ended before its time: what failed, and what to do. */
  readonly failure: string | null;
  /** null while no data worker answers. */
  readonly progress: RunProgress | null;
  /** What runs or waits just now. */
  readonly activities: readonly PendingActivity[];
}

const querySeconds = 5;

/**
 * Where a run is, live: the workflow's own progress with the heartbeats of the running activities laid over it.
 *
 * @throws RunError `not-found`
 */
export async function describeRun(client: Client, run: string): Promise<RunDescription> {
  const found = await findRun(client, run);
  const { description } = found;
  const progress = await queryProgress(client, found);
  const running = description.status.name === 'RUNNING';
  const activities = running ? await activitiesOf(client, found, progress) : [];
  return {
    run,
    workflowId: description.workflowId,
    status: description.status.name,
    startedAt: description.startTime,
    closedAt: description.closeTime ?? null,
    failure: description.status.name === 'FAILED' ? await failureOf(client, description) : null,
    progress: progress === null ? null : withHeartbeats(progress, activities),
    activities,
  };
}

/** No worker, no answer: then the rest of the description is still worth something. */
async function queryProgress(client: Client, { handle }: FoundRun): Promise<RunProgress | null> {
  try {
    return await client.withDeadline(Date.now() + querySeconds * 1000, () =>
      handle.query<RunProgress>(messages.progress),
    );
  } catch {
    return null;
  }
}

async function activitiesOf(
  client: Client,
  { description, step }: FoundRun,
  progress: RunProgress | null,
): Promise<PendingActivity[]> {
  const own = pendingActivities(description);
  if (step !== null) return own;
  const going = progress?.steps.filter(({ state }) => state === 'running' || state === 'paused');
  const steps = going?.map((state) => state.step) ?? runSteps;
  const ofSteps = await Promise.all(steps.map((name) => activitiesOfStep(client, description, name)));
  return [...own, ...ofSteps.flat()];
}

async function activitiesOfStep(
  client: Client,
  parent: WorkflowExecutionDescription,
  step: RunStep,
): Promise<PendingActivity[]> {
  try {
    const description = await client.workflow.getHandle(`${parent.workflowId}/${step}`).describe();
    return description.status.name === 'RUNNING' ? pendingActivities(description) : [];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

/** Heartbeats are newer than what the workflow was told. */
function withHeartbeats(progress: RunProgress, activities: readonly PendingActivity[]): RunProgress {
  let { training, predictions } = progress;
  let done = predictions?.done ?? 0;
  for (const { heartbeat } of activities) {
    if (heartbeat?.kind === 'training' && heartbeat.progress !== null) training = heartbeat.progress;
    if (heartbeat?.kind === 'prediction' && heartbeat.progress !== null) done += heartbeat.progress.done;
  }
  if (predictions !== null) predictions = { ...predictions, done };
  return { ...progress, training, predictions };
}
