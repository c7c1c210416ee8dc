import { isDeepStrictEqual } from 'node:util';
import type { Logger, NativeConnection } from '@temporalio/worker';
import type { TemporalSettings } from '../../client/connection/connectionSettings.js';
import { openConnection } from './workerConnection.js';

/** Seconds between two looks at the files. */
const lookSeconds = 10;

export interface RenewalOptions {
  readonly settings: TemporalSettings;
  /** What variables and files say now. */
  readonly read: () => Promise<TemporalSettings>;
  readonly connection: NativeConnection;
  /** Lets the workers use another connection from now on. */
  readonly use: (connection: NativeConnection) => void;
  readonly logger: Logger;
}

/**
 * Takes an API key or certificates anew when their files have changed, without a restart: a key at once, certificates with
 * a connection of their own. What cannot be used (a file that is being replaced) is logged, and the old is kept.
 *
 * @returns how to end it: with the connection that is then in use.
 */
export function renewConnection(options: RenewalOptions): { end(): NativeConnection } {
  const { read, use, logger } = options;
  let { settings, connection } = options;
  let busy = false;
  const look = async (): Promise<void> => {
    const now = await read();
    const { apiKey, ...rest } = now;
    const { apiKey: oldKey, ...oldRest } = settings;
    if (isDeepStrictEqual(now, settings)) return;
    if (apiKey !== undefined && apiKey !== oldKey && isDeepStrictEqual(rest, oldRest)) {
      await connection.setApiKey(apiKey);
      logger.info('The API key of Temporal was read anew.');
    } else {
      const old = connection;
      connection = await openConnection(now);
      use(connection);
      // Polls that are under way end with the old one.
      await old.close().catch(() => undefined);
      logger.info('The connection to Temporal was made anew: its settings have changed.');
    }
    settings = now;
  };
  const clock = setInterval(() => {
    if (busy) return;
    busy = true;
    const warn = (error: unknown): void => {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn(`Settings of Temporal that have changed cannot be used yet: ${why}`);
    };
    void look()
      .catch(warn)
      .finally(() => (busy = false));
  }, lookSeconds * 1000).unref();
  return {
    end: () => {
      clearInterval(clock);
      return connection;
    },
  };
}
