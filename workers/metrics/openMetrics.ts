import type { Logger } from '@temporalio/worker';
import { createServer, type AddressInfo } from 'node:net';
import { ConfigurationError } from '../../configs/configurationError.js';
import { installRuntime } from '../temporal/runtime.js';
import { serveMetrics, type MetricsAddress, type MetricsServer } from './metricsServer.js';

export type { MetricsAddress } from './metricsServer.js';

/**
 * Installs the SDK's runtime; where numbers are asked for, its exporter listens on this machine alone, behind a server
 * that adds ours.
 *
 * @throws ConfigurationError where the address is taken, or is none of this machine.
 */
export async function openMetrics(asked: MetricsAddress | undefined, logger: Logger): Promise<MetricsServer | null> {
  if (asked === undefined) {
    installRuntime(logger);
    return null;
  }
  const exporter = `127.0.0.1:${await freePort()}`;
  installRuntime(logger, exporter);
  const server = await serveMetrics(asked, `http://${exporter}/metrics`).catch((error: unknown) => {
    const found = `${asked.host}:${asked.port} (${(error as Error).message})`;
    const expected = 'HOST:PORT of this machine where nobody listens; port 0 takes any';
    throw new ConfigurationError([{ where: '--metrics', setting: '', found, expected }]);
  });
  const { host, port } = server.address;
  logger.info(
    `numbers at http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics, health at /healthz, /readyz`,
  );
  return server;
}

/** The SDK takes a port, and does not say which one it chose. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
