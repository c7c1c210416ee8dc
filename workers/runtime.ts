import { Runtime, type Logger } from '@temporalio/worker';

let installed = false;

/** The SDK's one runtime of this process: quiet, logging through ours, and leaving signals to us. */
export function installRuntime(logger: Logger): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    shutdownSignals: [],
  });
}
