import { randomInt } from 'node:crypto';
import path from 'node:path';
import { temporalProgram } from './binaries.js';
import { getLocal } from './httpRequest.js';
import { loopback } from './ports.js';
import { type RunningService, startService } from './service.js';
import { startUiFront, type UiFront, type UiTarget } from './uiFront.js';

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
  /** Settings of the server beside ours, as JSON: for tests. */
  readonly dynamicConfiguration?: Readonly<Record<string, string>>;
  /**
   * For tests, which have many: takes less processor time. Its database survives the server however that ends, but not
   * the machine's failure; and it serves fewer at once.
   */
  readonly modest?: boolean;
}

/** A task queue in one part, which pollers need not be handed on between. */
const onePartition = { 'matching.numTaskqueueReadPartitions': '1', 'matching.numTaskqueueWritePartitions': '1' };

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
  const front = await startUiFront(options.uiPort ?? 8233);
  try {
    const service = await startBehind(front, options);
    const [port, uiPort] = service.ports;
    // That of the process that it belongs to.
    if (service.reused) await front.close();
    return {
      ...service,
      stop: async () => {
        await service.stop();
        await front.close();
      },
      address: `${loopback}:${port}`,
      namespace: options.namespace ?? 'default',
      uiUrl: `http://${loopback}:${uiPort}`,
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

/** The server itself; its web page is reached through the front. */
async function startBehind(front: UiFront, options: TemporalOptions): Promise<RunningService> {
  const { directory, namespace = 'default', searchAttributes = tempehSearchAttributes, modest = false } = options;
  const program = await temporalProgram();
  return startService({
    name: 'temporal',
    directory,
    ports: [options.port ?? 7233],
    heldPorts: [front.port],
    graceSeconds: 10,
    startSeconds: 60,
    command: ([port]) => {
      const ui = hiddenPlace();
      front.aim(ui);
      return {
        program,
        arguments: [
          ...['server', 'start-dev', '--ip', loopback, '--port', String(port)],
          ...['--ui-ip', ui.host, '--ui-port', String(ui.port), '--ui-disable-news-fetch', '--log-level', 'warn'],
          // Its HTTP API would do what any web page says that a browser of this machine shows: nobody may use it.
          ...['--dynamic-config-value', 'frontend.httpAllowedHosts=[]'],
          ...(modest ? ['--sqlite-pragma', 'synchronous=OFF'] : []),
          ...Object.entries({ ...(modest && onePartition), ...options.dynamicConfiguration }).flatMap(
            ([name, value]) => ['--dynamic-config-value', `${name}=${value}`],
          ),
          ...['--db-filename', path.resolve(directory, 'temporal.sqlite'), '--namespace', namespace],
          ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
        ],
        // The user's own Temporal settings (variables, configuration file) are for other servers.
        environment: {
          PATH: process.env['PATH'],
          TMPDIR: process.env['TMPDIR'],
          HOME: path.resolve(directory),
          // Memory is collected less often, and idle threads do not look for work.
          ...(modest && { GOGC: '400', GOMAXPROCS: '1' }),
        },
      };
    },
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
}

/**
 * A loopback address and port for the web page's own server, which believes whoever finds it: among 2^37, so that no page
 * in a browser finds it by trying. (All of 127.0.0.0/8 is this machine, on Linux.)
 */
function hiddenPlace(): UiTarget {
  const host = ['127', randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.');
  return { host, port: randomInt(20_000, 32_000) };
}
