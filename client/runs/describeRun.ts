import type { Client, WorkflowExecutionStatusName, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '../temporal.js';
import { reasonLine } from '../../activities/processes/attempts.js';
import type { AttemptRecord } from '../../activities/types.js';
import { messages, runSteps, sumOfInterruptions } from '../../configs/temporal.js';
import type { MemberState, RunProgress, SeriesInput, StepState } from '../../workflows/types.js';
import { orUnreadable } from '../payloads/withoutPayloads.js';
import { failureOf, pendingActivities, type PendingActivity } from './pendingActivities.js';
import { findRun, type FoundRun } from './findRun.js';
import { RunError } from '../connection/client.js';
import { queryIfAnswered } from './queryIfAnswered.js';
import { queuesOf, queueWorkers, type QueueWorkers } from './queueWorkers.js';
import { recordedProgress } from './recordedProgress.js';
import { isSeries, querySeries } from './seriesProgress.js';
import { inputOf } from './workflowInput.js';

/** A run as `status` shows it. */
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
  /** What Temporal itself knows of its steps; only while no data worker answers. */
  readonly recorded?: RunProgress;
  /** What runs or waits just now. */
  readonly activities: readonly PendingActivity[];
  /** Of each task queue on which it waits for a worker, and of its workflows' own while nobody answers: who is there. */
  readonly queues: readonly QueueWorkers[];
  /** Of a series its runs, each with where it is itself once it has been started; absent for a run. */
  readonly members?: readonly Member[];
}

type Member = MemberState & { readonly description: RunDescription | null };

/**
 * Where a run is, live: the workflow's own progress with the heartbeats of the running activities laid over it.
 *
 * @throws RunError `not-found`
 */
export async function describeRun(client: Client, run: string): Promise<RunDescription> {
  const found = await findRun(client, run);
  const { description } = found;
  if (isSeries(description)) return describeSeries(client, run, found);
  const own = await queryProgress(client, found.handle);
  const running = description.status.name === 'RUNNING';
  const step = found.step === null ? await stepOf(client, found, own) : null;
  const activities = running ? [...(await pendingActivities(client, description)), ...(step?.activities ?? [])] : [];
  const progress = own === null ? null : withStep(own, step?.progress ?? null);
  const recorded = own === null ? await recordedProgress(client, found, run) : null;
  return {
    run,
    workflowId: description.workflowId,
    status: description.status.name,
    startedAt: description.startTime,
    closedAt: description.closeTime ?? null,
    failure: description.status.name === 'FAILED' ? await failureOf(client, description) : null,
    progress: progress === null ? null : withHeartbeats(progress, activities),
    ...(recorded && { recorded: withHeartbeats(recorded, activities) }),
    activities,
    queues: running ? await queuesWaitedFor(client, description, own !== null, activities) : [],
  };
}

/** Whom a run waits for; what Temporal does not say of them is a courtesy that is missing. */
async function queuesWaitedFor(
  client: Client,
  { taskQueue }: FoundRun['description'],
  isAnswered: boolean,
  activities: readonly PendingActivity[],
): Promise<QueueWorkers[]> {
  const looks = [
    ...(isAnswered ? [] : [queueWorkers(client, taskQueue, 'workflow')]),
    ...queuesOf(activities).map((queue) => queueWorkers(client, queue, 'activity')),
  ];
  const told = await Promise.allSettled(looks);
  return told.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** A series has no steps of its own: its activities are those of its runs. */
async function describeSeries(client: Client, run: string, { handle, description }: FoundRun): Promise<RunDescription> {
  const { workflowId, startTime, closeTime, status } = description;
  const series = await querySeries(client, handle);
  const members =
    series === null ? await recordedMembers(client, description) : await described(client, series.members);
  const running = members.filter(({ description: member }) => member?.status === 'RUNNING');
  return {
    run,
    workflowId,
    status: status.name,
    startedAt: startTime,
    closedAt: closeTime ?? null,
    failure: status.name === 'FAILED' ? await failureOf(client, description) : null,
    progress: null,
    activities: [
      ...(status.name === 'RUNNING' ? await pendingActivities(client, description) : []),
      ...running.flatMap(({ description: member }) => member!.activities),
    ],
    queues: running.flatMap(({ description: member }) => member!.queues),
    members,
  };
}

function described(client: Client, members: readonly MemberState[]): Promise<Member[]> {
  return Promise.all(
    members.map(async (member) => {
      const isThere = member.state !== 'waiting' && member.state !== 'left out';
      return { ...member, description: isThere ? await describedIfThere(client, member.run) : null };
    }),
  );
}

/** The runs that a series was started with, each as it is, where no data worker says how they are. */
async function recordedMembers(client: Client, description: FoundRun['description']): Promise<Member[]> {
  const input = await inputOf<SeriesInput>(client, description).catch(orUnreadable);
  return Promise.all(
    (input?.members ?? []).map(async ({ run, label }) => {
      const member = await describedIfThere(client, run);
      return { run, label, state: stateOf(member), note: null, description: member };
    }),
  );
}

function stateOf(member: RunDescription | null): MemberState['state'] {
  if (member === null) return 'waiting';
  const states = { RUNNING: 'running', COMPLETED: 'done', CANCELLED: 'cancelled' } as const;
  return states[member.status as keyof typeof states] ?? 'failed';
}

async function describedIfThere(client: Client, run: string): Promise<RunDescription | null> {
  try {
    return await describeRun(client, run);
  } catch (error) {
    // It is just being prepared.
    if (error instanceof RunError && error.reason === 'not-found') return null;
    throw error;
  }
}

/** Where a run or a step is; null while no data worker answers. */
export function queryProgress(
  client: Client,
  handle: WorkflowHandle,
  answerSeconds?: number,
): Promise<RunProgress | null> {
  return queryIfAnswered<RunProgress>(client, handle, messages.progress, answerSeconds);
}

interface OpenStep {
  readonly progress: RunProgress | null;
  readonly activities: readonly PendingActivity[];
}

/** The child workflow that full training is at, or ended in; without its own progress, whichever runs. */
async function stepOf(
  client: Client,
  { description }: FoundRun,
  progress: RunProgress | null,
): Promise<OpenStep | null> {
  const ended = description.status.name !== 'RUNNING';
  const open = ['running', 'paused', ...(ended ? ['failed', 'cancelled'] : [])];
  const going = progress?.steps.filter(({ state }) => open.includes(state));
  for (const step of going?.map((state) => state.step) ?? runSteps) {
    const handle = client.workflow.getHandle(`${description.workflowId}/${step}`);
    try {
      const child = await handle.describe();
      if (child.status.name !== 'RUNNING' && !(ended && progress !== null)) continue;
      const own = progress === null ? null : await queryProgress(client, handle);
      return { progress: own, activities: await pendingActivities(client, child) };
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return null;
}

/** A step reports little of what it knows to full training, for each message costs both of their histories. */
function withStep(progress: RunProgress, step: RunProgress | null): RunProgress {
  if (step === null) return progress;
  const training = step.training ?? progress.training;
  const interrupted = new Map(step.steps.map(({ step: name, interruptions }) => [name, interruptions]));
  const steps = progress.steps.map((state) => {
    const interruptions = interrupted.get(state.step) ?? state.interruptions;
    return { ...state, ...(interruptions && { interruptions }) };
  });
  const measured = step.measured ?? progress.measured;
  const predictions = step.predictions ?? progress.predictions;
  return { ...progress, steps, training, predictions, ...(measured && { measured }) };
}

/** Heartbeats are newer than what the workflow knows. */
function withHeartbeats(progress: RunProgress, activities: readonly PendingActivity[]): RunProgress {
  let { training, predictions, measured } = progress;
  let measuredNow = 0;
  let done = predictions?.done ?? 0;
  for (const { type, heartbeat } of activities) {
    if (heartbeat?.kind === 'training' && heartbeat.progress !== null) training = heartbeat.progress;
    if (heartbeat?.kind === 'prediction' && heartbeat.progress !== null) done += heartbeat.progress.done;
    if (heartbeat?.kind === 'transfer' && type === 'evaluateShard') measuredNow += heartbeat.progress.doneFiles;
  }
  if (predictions !== null) predictions = { ...predictions, done };
  if (measured) measured = { ...measured, done: measured.done + measuredNow };
  const steps = progress.steps.map((step) => withAttempts(step, activities));
  return { ...progress, steps, training, predictions, ...(measured && { measured }) };
}

/** What a step's running trainers and predictors have gone through so far comes on top of those that have ended. */
function withAttempts(step: StepState, activities: readonly PendingActivity[]): StepState {
  const running = activities
    .filter(({ workflowId }) => workflowId.endsWith(`/${step.step}`))
    .map((activity) => ({ ...activity.interruptions, attempts: closedAttempts(activity) }));
  const ended = step.interruptions ?? { preemptions: 0, failures: 0 };
  const interruptions = sumOfInterruptions([ended, ...running]);
  const { preemptions, failures, attempts = [], warnings = [] } = interruptions;
  return preemptions + failures + attempts.length + warnings.length === 0 ? step : { ...step, interruptions };
}

/** One whose worker was lost could not say that it ended; its next attempt does, once it has begun. */
function closedAttempts({ interruptions, state, lastFailure }: PendingActivity): AttemptRecord[] {
  return (interruptions.attempts ?? []).map((record) => {
    if (record.end !== null || state !== 'waiting') return record;
    return { ...record, end: reasonLine(lastFailure ?? 'ended') };
  });
}
