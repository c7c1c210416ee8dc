import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clockAhead } from '../../storage/s3/clock.js';
import { gpuReadings } from './gpuReadings.js';

/** Where a worker serves its metrics. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** What a worker is, seen from outside. */
export type WorkerHealth = 'starting' | 'ready' | 'unfit' | 'stopping';

export interface MetricsServer {
  readonly address: MetricsAddress;
  /** What `/readyz` says from now on. */
  tell(health: WorkerHealth): void;
  close(): Promise<void>;
}

/** Milliseconds that the SDK's exporter, in this process, has to answer. */
const exporterTimeout = 5000;

/**
 * @param text HOST:PORT, [HOST]:PORT for IPv6, or :PORT for this machine alone; port 0 takes any.
 * @throws RangeError saying what was found and expected.
 */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/\s]*):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw new RangeError(`${text}: expected HOST:PORT, as 0.0.0.0:9464, or :9464 for this machine alone`);
  }
  return { host: host === '' ? '127.0.0.1' : host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/**
 * Serves `/metrics` for Prometheus (the SDK's own numbers and ours, which go through its meter, and those of the GPUs),
 * `/healthz` (the process answers) and `/readyz` (it takes tasks).
 *
 * @param exporter the SDK's, on this machine: `http://127.0.0.1:PORT/metrics`.
 * @throws Error where the address is taken.
 */
export async function serveMetrics(asked: MetricsAddress, exporter: string): Promise<MetricsServer> {
  let health: WorkerHealth = 'starting';
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body);
    };
    const path = request.url?.replace(/\?.*$/s, '');
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'GET only\n');
    else if (path === '/healthz') answer(200, 'ok\n');
    else if (path === '/readyz') answer(health === 'ready' ? 200 : 503, `${health}\n`);
    else if (path !== '/metrics') answer(404, '/metrics, /healthz or /readyz\n');
    else {
      collect(exporter).then(
        (text) => answer(200, `${text}${workerLines(health)}`, 'text/plain; version=0.0.4'),
        (error: unknown) => answer(503, `The SDK's exporter does not answer: ${String(error)}\n`),
      );
    }
  });
  await listen(server, asked);
  // It keeps no worker alive that has ended.
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: asked.host, port },
    tell: (told) => {
      health = told;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Numbers of the worker's own, beside those of its work. */
export const workerMetrics = {
  unfit: 'tempeh_worker_unfit',
  clock: 'tempeh_worker_clock_ahead_seconds',
} as const;

function workerLines(health: WorkerHealth): string {
  const gauge = (name: string, help: string, value: number): string =>
    `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
  const ahead = clockAhead();
  return [
    gauge(
      workerMetrics.unfit,
      'Whether it takes no tasks, because of something of its own',
      health === 'unfit' ? 1 : 0,
    ),
    // Not known before a store has answered.
    ahead === null ? '' : gauge(workerMetrics.clock, "By how much its clock is ahead of the object store's", ahead),
  ].join('');
}

async function collect(exporter: string): Promise<string> {
  const [sdk, gpus] = await Promise.all([
    fetch(exporter, { signal: AbortSignal.timeout(exporterTimeout) }).then((response) => response.text()),
    gpuReadings(),
  ]);
  return `${sdk.replace(/# EOF\s*$/, '').trimEnd()}\n${gpus}`;
}

function listen(server: Server, { host, port }: MetricsAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
