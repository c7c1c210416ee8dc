import type { Logger } from '@temporalio/worker';

/** What was seen of errors that nobody waited for. */
export interface Faults {
  /** @throws the first of them. */
  throwIfAny(): void;
  release(): void;
}

/**
 * An error that nobody waited for (an unhandled rejection, an uncaught exception) ends a worker in order, with its reason
 * in the log: what it left undone is not known, but what trains can be saved.
 */
export function stopOnFaults(logger: Logger, stop: (why: string) => void): Faults {
  let first: Error | null = null;
  const onFault = (cause: unknown): void => {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    first ??= error;
    logger.error('An unexpected error; the worker stops in order.', {
      error: error.stack ?? error.message,
    });
    stop(`the worker met an unexpected error: ${error.message}`);
  };
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  for (const event of events) process.on(event, onFault);
  return {
    throwIfAny: () => {
      if (first !== null) throw first;
    },
    release: () => {
      for (const event of events) process.off(event, onFault);
    },
  };
}
