import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from '../temporal.js';
import { describeRun } from './describeRun.js';
import { RunError } from '../connection/client.js';
import type { PendingActivity } from './pendingActivities.js';
import { findRun } from './findRun.js';
import { resumeRun } from './runs.js';

/** What `retryRun` did. */
export type Retried =
  /** The run had failed: it was started again. */
  | { readonly kind: 'started'; readonly workflowId: string }
  /** `now`: did wait out a back-off, or was paused in Temporal. `others`: run, or wait for a worker. */
  | { readonly kind: 'tried'; readonly now: readonly PendingActivity[]; readonly others: readonly PendingActivity[] };

/**
 * Tries at once what failed: what waits out its back-off does so no longer, and a run that has failed is started again.
 * Attempts are counted on.
 *
 * @throws RunError `not-found`, `not-running` (complete or cancelled), `refused` for a paused run.
 */
export async function retryRun(client: Client, run: string): Promise<Retried> {
  const { description } = await findRun(client, run);
  const status = description.status.name;
  if (status === 'FAILED' || status === 'TERMINATED' || status === 'TIMED_OUT') {
    return { kind: 'started', workflowId: await resumeRun(client, run) };
  }
  if (status !== 'RUNNING') {
    const todo = status === 'COMPLETED' ? 'there is nothing to try again' : `tempeh-flow resume ${run} starts it again`;
    throw new RunError('not-running', `${run} has not failed, it is ${status.toLowerCase()}: ${todo}.`);
  }
  const { progress, activities } = await describeRun(client, run);
  if (progress?.paused === true) {
    throw new RunError('refused', `${run} is paused: tempeh-flow unpause ${run} goes on.`);
  }
  const now = activities.filter(({ paused, nextAttemptAt }) => paused || nextAttemptAt !== null);
  for (const activity of now) await tryNow(client, activity);
  return { kind: 'tried', now, others: activities.filter((activity) => !now.includes(activity)) };
}

/**
 * Temporal starts an activity at once when it is unpaused, and keeps its attempts and heartbeat; its "reset" would count
 * from 1 again. An attempt that begins in between is not disturbed by so short a pause.
 *
 * @throws RunError `refused` by a server that cannot do it, or if the connection was lost meanwhile.
 */
async function tryNow(client: Client, { workflowId, activityId: id, type, paused }: PendingActivity): Promise<void> {
  const request = { namespace: client.options.namespace, execution: { workflowId }, id };
  try {
    if (!paused) await client.workflowService.pauseActivity({ ...request, reason: 'tempeh-flow retry' });
    await client.workflowService.unpauseActivity(request);
  } catch (cause) {
    const code = isGrpcServiceError(cause) ? Number(cause.code) : undefined;
    // It has ended meanwhile.
    if (code === grpcCodes.notFound) return;
    const todo =
      code === grpcCodes.unimplemented
        ? 'This Temporal server cannot do it (1.28 and later can): it is tried when it is due, see tempeh-flow status'
        : 'Do it again: it may have been left paused in Temporal';
    throw new RunError('refused', `${type} of ${workflowId} could not be tried now. ${todo}.`, { cause });
  }
}

const grpcCodes = { notFound: 5, unimplemented: 12 } as const;
