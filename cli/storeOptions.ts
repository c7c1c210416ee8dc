import type { Argv } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from './connection.js';
import { setOption } from './setOption.js';

/** How the user tells a command where a run's object store is. */
export interface StoreOptions extends ConnectionOptions {
  /** The run's own, as Temporal knows it, if absent. */
  config: string | undefined;
  set: string[];
}

/**
 * Adds the options of commands that look into a run's object store.
 *
 * @param describe what `--config` is for.
 */
export function withStoreOptions<T>(
  yargs: Argv<T>,
  describe = 'Says where the object store is [default: the run’s own configuration, asked of Temporal]',
): Argv<T & StoreOptions> {
  return withConnectionOptions(yargs).option('config', { type: 'string', describe }).option('set', setOption);
}
