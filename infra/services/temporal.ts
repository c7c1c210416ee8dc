import path from 'node:path';
import { temporalProgram } from './binaries.js';
import { getLocal } from './httpRequest.js';
import { loopback } from './ports.js';
import { type RunningService, startService } from './service.js';

export type SearchAttributeType = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

/** What workflows are found by, in the Temporal UI and by `tempeh-flow list` (docs/architecture.md). */
export const tempehSearchAttributes: Readonly<Record<string, SearchAttributeType>> = {
  TempehStage: 'Keyword',
  TempehStep: 'Int',
  TempehRun: 'Keyword',
  TempehDataset: 'Keyword',
};

export interface TemporalOptions {
  /** Holds the database (workflows survive a restart), log and state. */
  readonly directory: string;
  /** For workers and clients (gRPC); the default is 7233, 0 means any. Another one is taken where it is in use. */
  readonly port?: number;
  /** For the web page; the default is 8233, 0 means any. Another one is taken where it is in use. */
  readonly uiPort?: number;
  /** The default is `default`. */
  readonly namespace?: string;
  /** The default is `tempehSearchAttributes`. */
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
}

export interface TemporalService extends RunningService {
  /** `127.0.0.1:7233` */
  readonly address: string;
  readonly namespace: string;
  /** The web page's address. */
  readonly uiUrl: string;
}

/**
 * Starts a Temporal server with its web page on this machine, or finds the one that runs in this directory. It ends with
 * this process at the latest, however that ends. When this returns, the namespace and search attributes are usable.
 *
 * @throws ServiceError
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalService> {
  const { directory, namespace = 'default', searchAttributes = tempehSearchAttributes } = options;
  const program = temporalProgram();
  const service = await startService({
    name: 'temporal',
    directory,
    ports: [options.port ?? 7233, options.uiPort ?? 8233],
    graceSeconds: 10,
    startSeconds: 60,
    command: ([port, uiPort]) => ({
      program,
      arguments: [
        ...['server', 'start-dev', '--ip', loopback, '--port', String(port), '--ui-port', String(uiPort)],
        ...['--db-filename', path.resolve(directory, 'temporal.sqlite'), '--namespace', namespace],
        ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
        ...['--ui-disable-news-fetch', '--log-level', 'warn'],
      ],
      // The user's own Temporal settings (variables, configuration file) are for other servers.
      environment: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], HOME: path.resolve(directory) },
    }),
    checkHealth: async ([, uiPort = 0]) => {
      // Through the web page's server: then page, server, namespace and search attributes are all there.
      const api = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      const found = await getLocal(uiPort, api);
      if (found.status !== 200) return `namespace ${namespace}: HTTP ${found.status}`;
      const { status, body } = await getLocal(uiPort, `${api}/search-attributes`);
      const absent = Object.keys(searchAttributes).filter((name) => !body.includes(`"${name}"`));
      return status === 200 && absent.length === 0 ? true : `search attributes missing: ${absent.join(', ')}`;
    },
  });
  const [port, uiPort] = service.ports;
  return { ...service, address: `${loopback}:${port}`, namespace, uiUrl: `http://${loopback}:${uiPort}` };
}
