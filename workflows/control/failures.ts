import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { datasetFailures, userFaults } from '../../configs/temporal.js';

/** What lies behind the failures of an activity and of the workflows above it. */
export function rootFailure(failure: unknown): unknown {
  let inner = failure;
  while ((inner instanceof ActivityFailure || inner instanceof ChildWorkflowFailure) && inner.cause !== undefined) {
    inner = inner.cause;
  }
  return inner;
}

/** The failure that needs a person, if that is what lies behind. */
export function findUserFault(failure: unknown): ApplicationFailure | undefined {
  const root = rootFailure(failure);
  if (!(root instanceof ApplicationFailure)) return undefined;
  return userFaults.some((type) => type === root.type) ? root : undefined;
}

/** True if the activity's own worker did not come to fetch it: it is gone, and its disk with it. */
export function isWorkerLost(failure: unknown): boolean {
  const root = rootFailure(failure);
  return root instanceof TimeoutFailure && root.timeoutType === 'SCHEDULE_TO_START';
}

/** True if what was fetched is not there any more. */
export function isVolumeMissing(failure: unknown): boolean {
  const root = rootFailure(failure);
  return root instanceof ApplicationFailure && root.type === datasetFailures.volumeMissing;
}

/**
 * What a workflow ends with: the failure of one of its parts in plain words. Errors that are none of Temporal's are
 * bugs, and kept as they are.
 *
 * @param message as `explain` has it, or more.
 */
export function workflowFailure(message: string, failure: unknown): unknown {
  if (!(failure instanceof TemporalFailure)) return failure;
  const root = rootFailure(failure);
  const type = root instanceof ApplicationFailure ? root.type : undefined;
  return ApplicationFailure.create({ message, type: type ?? 'StepFailed', nonRetryable: true, cause: failure });
}

/** The worker that an activity failed on, as `HOST:PID`; null where there was none. */
export function failedOn(failure: unknown): string | null {
  for (let inner = failure; inner instanceof TemporalFailure; inner = inner.cause) {
    const identity = inner instanceof ActivityFailure ? inner.identity : undefined;
    if (identity) return /@(\S+:\d+)/.exec(identity)?.[1] ?? identity;
  }
  return null;
}

/** One line of a failure, human-readable. */
export function explain(failure: unknown): string {
  const root = rootFailure(failure);
  if (root instanceof CancelledFailure) return 'was cancelled by itself. Resume the run to go on.';
  if (root instanceof TerminatedFailure) return 'was terminated. Resume the run to go on.';
  return root instanceof Error ? root.message : String(root);
}
