import {
  ActivityCancellationType,
  patched,
  workflowInfo,
  type ActivityOptions,
  type RetryPolicy,
} from '@temporalio/workflow';
import { queuesBeside, userFaults, type TaskQueues } from '../../configs/temporal.js';
import type { SupervisionConfiguration } from '../../configs/schema/supervision.js';

/** Queues of the workers that this workflow was started for. */
export const queues = (): TaskQueues => queuesBeside(workflowInfo().taskQueue);

interface Supervised {
  readonly supervision: SupervisionConfiguration;
}

/** Infrastructure faults are retried without end; what needs a person is not retried. */
const retry: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  // Attempts are counted over the weeks, pre-emptions among them: a worker that is lost late must not cost a minute more.
  maximumInterval: '15 seconds',
  nonRetryableErrorTypes: [...userFaults],
};

/** Questions and small writes: done in seconds, or tried again. */
export function shortActivity(summary: string): ActivityOptions {
  return { taskQueue: queues().data, startToCloseTimeout: '2 minutes', retry, summary };
}

/** Work of minutes to weeks: what bounds it is observed progress. Cancellation waits until it has saved and stopped. */
export function longActivity(taskQueue: string, configuration: Supervised, summary: string): ActivityOptions {
  return {
    taskQueue,
    startToCloseTimeout: '120 days',
    heartbeatTimeout: configuration.supervision.progressTimeoutSeconds * 1000,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
    summary,
  };
}

/**
 * Work of a GPU worker. An attempt that fails says itself when it is to be tried again; where none can say so its worker
 * was lost, and the next goes on.
 */
export function gpuActivity(configuration: Supervised, summary: string): ActivityOptions {
  return {
    ...longActivity(queues().gpu, configuration, summary),
    retry: { ...retry, maximumInterval: '2 seconds' },
  };
}

/** Predictions have a queue of their own: no shard stands behind a stage of weeks. */
export function predictActivity(configuration: Supervised, summary: string): ActivityOptions {
  const options = gpuActivity(configuration, summary);
  return patched('predict-queue') ? { ...options, taskQueue: queues().predict } : options;
}

/** Work that needs what lies on one data worker's disk. Given up when that worker does not come back in time. */
export function boundActivity(queue: string, configuration: Supervised, summary: string): ActivityOptions {
  return {
    ...longActivity(queue, configuration, summary),
    scheduleToStartTimeout: configuration.supervision.lostWorkerSeconds * 1000,
  };
}
