import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { interruptionsBefore } from '../../activities/waiting/interruptions.js';
import type { ActivityHeartbeat, Interruptions } from '../../activities/types.js';
import { orderlyEnds } from '../../configs/temporal.js';
import { messageOf, valueOf } from '../payloads/values.js';

/** An activity that runs, or waits for a worker or its next attempt. */
export interface PendingActivity {
  readonly workflowId: string;
  readonly activityId: string;
  readonly type: string;
  /** The task queue that its workers ask; null from servers that do not say. */
  readonly queue: string | null;
  /** From 1. */
  readonly attempt: number;
  readonly state: 'waiting' | 'running' | 'stopping';
  /** An operator has paused it in Temporal: no attempt comes until it is unpaused there, or by `retryRun`. */
  readonly paused: boolean;
  /** Attempts that ended so far, apart: stopped in an orderly way, and failed. */
  readonly interruptions: Interruptions;
  readonly heartbeat: ActivityHeartbeat | null;
  readonly heartbeatAt: Date | null;
  /** Why the attempt before failed. */
  readonly lastFailure: string | null;
  /** Whether that was a fault: not where the attempt was stopped in an orderly way, or given back to whoever is free. */
  readonly lastFailureIsFault: boolean;
  /** Since when it has been there for whoever asks; null where it runs, waits out its back-off or is paused. */
  readonly waitsSince: Date | null;
  /** When the next attempt is due, of one that waits out its back-off; null otherwise. */
  readonly nextAttemptAt: Date | null;
  /** The worker that has it, or had it last. */
  readonly worker: string | null;
}

type RawActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Numbers of Temporal's `PendingActivityState`; what is not here (cancel or pause requested) is stopping. */
const states: Readonly<Record<number, PendingActivity['state']>> = { 1: 'waiting', 2: 'running', 4: 'waiting' };

/** The pending activities of a described workflow, heartbeat details decoded. */
export function pendingActivities(
  client: Client,
  { workflowId, raw }: WorkflowExecutionDescription,
): Promise<PendingActivity[]> {
  const described = (raw.pendingActivities ?? []).map(async (activity): Promise<PendingActivity> => {
    const heartbeat = await valueOf<ActivityHeartbeat>(client, activity.heartbeatDetails?.payloads?.[0]);
    const attempt = activity.attempt ?? 1;
    const warnings = heartbeat !== null && 'warnings' in heartbeat ? heartbeat.warnings : undefined;
    const attempts = heartbeat !== null && 'attempts' in heartbeat ? heartbeat.attempts : undefined;
    return {
      workflowId,
      activityId: activity.activityId ?? '',
      type: activity.activityType?.name ?? 'unknown',
      queue: activity.activityOptions?.taskQueue?.name || null,
      attempt,
      state: states[activity.state ?? 1] ?? 'stopping',
      paused: activity.paused === true,
      interruptions: {
        ...interruptionsBefore(attempt, heartbeat ?? {}),
        ...(attempts && { attempts }),
        ...(warnings && { warnings }),
      },
      heartbeat,
      heartbeatAt: dateOf(activity.lastHeartbeatTime),
      lastFailure: await explainFailure(client, activity.lastFailure),
      lastFailureIsFault: isFault(activity.lastFailure),
      waitsSince: waitsSince(activity),
      nextAttemptAt: dateOf(activity.nextAttemptScheduleTime),
      worker: activity.lastWorkerIdentity || null,
    };
  });
  return Promise.all(described);
}

function waitsSince(activity: RawActivity): Date | null {
  const { state, paused, nextAttemptScheduleTime: due } = activity;
  if (states[state ?? 1] !== 'waiting' || paused === true || due) return null;
  return dateOf(activity.lastAttemptCompleteTime) ?? dateOf(activity.scheduledTime);
}

function isFault(failure: RawActivity['lastFailure']): boolean {
  if (!failure) return false;
  const type = failure.applicationFailureInfo?.type;
  return !orderlyEnds.some((orderly) => orderly === type);
}

/** The message that a failed workflow ended with, from the last event of its history. */
export async function failureOf(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    // HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    historyEventFilterType: 2,
  });
  return messageOf(client, history?.events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure);
}

/** Temporal says "activity Heartbeat timeout" where a worker was killed, or lost its network. */
async function explainFailure(client: Client, failure: RawActivity['lastFailure']): Promise<string | null> {
  if (failure?.timeoutFailureInfo) return 'Its worker was lost: no sign of life came any more.';
  return messageOf(client, failure);
}

function dateOf(time: RawActivity['lastHeartbeatTime']): Date | null {
  if (!time) return null;
  return new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6);
}
