import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, type Logger } from '@temporalio/worker';
import type { TemporalSettings } from '../client/connectionSettings.js';

const longestWait = 10_000;

/**
 * Connects, and waits for Temporal as long as it takes: a worker may well be there first. Says so once, then every minute.
 *
 * @throws the signal's reason when it is told to stop meanwhile.
 */
export async function connectWorker(
  { address, apiKey, tls }: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection> {
  let toldAt = -Infinity;
  for (let wait = 250; ; wait = Math.min(2 * wait, longestWait)) {
    signal.throwIfAborted();
    try {
      return await NativeConnection.connect({ address, ...(apiKey ? { apiKey } : {}), ...(tls ? { tls } : {}) });
    } catch (error) {
      if (performance.now() - toldAt > 60_000) {
        toldAt = performance.now();
        logger.warn(`Temporal does not answer at ${address} (TEMPORAL_ADDRESS); this worker keeps trying.`, { error });
      }
      await sleep(wait, undefined, { signal });
    }
  }
}
