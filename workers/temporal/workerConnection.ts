import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, type Logger, type NativeConnectionOptions } from '@temporalio/worker';
import { connectClient } from '../../client/connection/client.js';
import type { TemporalSettings } from '../../client/connection/connectionSettings.js';
import { proxyFor } from '../../client/connection/proxy.js';
import { RunError } from '../../client/runError.js';

const longestWait = 10_000;

/**
 * Connects, and waits for Temporal as long as it takes: a worker may well be there first. Says so once, then every minute.
 *
 * @throws RunError for what waiting does not help: a setting, a permission. The signal's reason when it is told to stop.
 */
export async function connectWorker(
  settings: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection> {
  let toldAt = -Infinity;
  for (let wait = 250; ; wait = Math.min(2 * wait, longestWait)) {
    signal.throwIfAborted();
    try {
      return await openConnection(settings);
    } catch (error) {
      if (error instanceof RunError && error.reason !== 'unreachable') throw error;
      const said = error instanceof Error ? error.message : String(error);
      const why = error instanceof RunError ? said : `No connection to Temporal at ${settings.address}: ${said}.`;
      if (performance.now() - toldAt > 60_000) {
        toldAt = performance.now();
        logger.warn(`${why} This worker keeps trying.`);
      }
      await sleep(wait, undefined, { signal });
    }
  }
}

/** @throws RunError, which says why there is no connection: the SDK's own connection does not. */
export async function openConnection(settings: TemporalSettings): Promise<NativeConnection> {
  if (settings.unverified === true) {
    const todo = 'Name the CA (TEMPORAL_TLS_SERVER_CA_CERT_PATH) and the name (TEMPORAL_TLS_SERVER_NAME) instead';
    const what = "A worker's connection cannot do without verification of the server";
    throw new RunError('setting', `${what} (TEMPORAL_TLS_DISABLE_HOST_VERIFICATION). ${todo}.`);
  }
  const client = await connectClient(settings);
  await client.connection.close();
  return NativeConnection.connect(nativeOptions(settings));
}

function nativeOptions({ address, apiKey, tls, metadata }: TemporalSettings): NativeConnectionOptions {
  const proxy = proxyFor(address);
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    tls: tls ?? false,
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
    ...(proxy === null
      ? {}
      : {
          proxy: {
            type: 'http-connect' as const,
            targetHost: proxy.address,
            ...(proxy.basicAuth === undefined ? {} : { basicAuth: { ...proxy.basicAuth } }),
          },
        }),
  };
}
