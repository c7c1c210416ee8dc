import { Runtime, type Logger, type LogLevel, type LogMetadata } from '@temporalio/worker';

let installed = false;

/** Why workers failed, by task queue. */
const failures = new Map<string, unknown>();

/**
 * The SDK's one runtime of this process: quiet, logging through ours, and leaving signals to us.
 *
 * @param exporter HOST:PORT where it serves its metrics; nowhere if absent.
 */
export function installRuntime(logger: Logger, exporter?: string): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: notingFailures(logger),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(exporter === undefined
        ? {}
        : {
            metrics: {
              prometheus: { bindAddress: exporter, countersTotalSuffix: true, useSecondsForDurations: true },
            },
          }),
    },
    shutdownSignals: [],
  });
}

/**
 * Why the worker of a task queue failed; null where the SDK did not say. It says so in its log only: the promise of
 * `Worker.run` first waits for pollers that do not end any more.
 */
export function workerFailure(taskQueue: string): unknown {
  return failures.get(taskQueue) ?? null;
}

function notingFailures(logger: Logger): Logger {
  const log = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    const { taskQueue, error } = (meta ?? {}) as { taskQueue?: unknown; error?: unknown };
    if (message === 'Worker failed' && typeof taskQueue === 'string') failures.set(taskQueue, error);
    logger.log(level, message, meta);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}
