import { setMaxListeners } from 'node:events';
import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { activityFailure, stoppedFailure, type ErrorKinds } from '../failures.js';

/**
 * Runs work of this process that an abort signal ends: on cancellation the activity is cancelled, when the worker stops
 * it is retried elsewhere at once.
 *
 * @param faults as for `activityFailure`.
 */
export async function interruptible<T>(
  context: Context,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  faults: ErrorKinds = {},
): Promise<T> {
  const signal = AbortSignal.any([context.cancellationSignal, stopping]);
  // Every transfer that is under way listens.
  setMaxListeners(0, signal);
  try {
    return await work(signal);
  } catch (error) {
    if (!signal.aborted) throw activityFailure(error, faults);
    if (context.cancellationDetails?.cancelRequested === true) throw new CancelledFailure('Stopped as asked.');
    throw stoppedFailure('The worker was told to stop.');
  }
}

/** Short work: only its errors are turned into what Temporal acts rightly on. @param faults as for `activityFailure` */
export async function understood<T>(work: () => Promise<T>, faults: ErrorKinds = {}): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw activityFailure(error, faults);
  }
}
