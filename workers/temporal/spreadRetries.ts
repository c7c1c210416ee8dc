import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, ensureApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { backOff } from '../../activities/failures.js';

/**
 * Activities that fail say themselves when they are to be tried again: by the server's clockwork all workers would come
 * back to a service at the same moments that they all lost.
 */
export const spreadRetries: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute: async (input, next) => {
      try {
        return await next(input);
      } catch (cause) {
        if (context.cancellationSignal.aborted) throw cause;
        throw spread(cause, context.info.attempt);
      }
    },
  },
});

/** A failure with a delay of its own, where it has none and is to be tried again. @param attempt from 1 */
export function spread(cause: unknown, attempt: number): unknown {
  if (!(cause instanceof Error) || cause instanceof CancelledFailure || cause instanceof CompleteAsyncError)
    return cause;
  if (cause instanceof ApplicationFailure && (cause.nonRetryable || cause.nextRetryDelay != null)) return cause;
  const { message, type, details, cause: why, category } = ensureApplicationFailure(cause);
  const failure = ApplicationFailure.create({
    message,
    details: details ?? [],
    nextRetryDelay: backOff(attempt),
    ...(type == null ? {} : { type }),
    ...(why === undefined ? {} : { cause: why }),
    ...(category == null ? {} : { category }),
  });
  if (cause.stack !== undefined) failure.stack = cause.stack;
  return failure;
}
