import { startFetch } from '../../client/fetches.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { planFetch, type FetchRequest } from './fetchPlan.js';
import { started } from '../runs/watching/started.js';

export interface FetchOptions extends FetchRequest, ConnectionOptions {
  readonly local: boolean;
  readonly follow: boolean;
}

/** Fetches published data: as a workflow on a data worker, or in this process. @returns the exit code. */
export async function fetchData(options: FetchOptions): Promise<number> {
  const configuration = await planFetch(options);
  if (options.local) return (await import('./fetchLocally.js')).fetchLocally(configuration);
  const run = `fetch-${configuration.dataset.name}`;
  return withTemporal(options, async (connected) => {
    await startFetch(connected.client, { run, configuration });
    return started(connected, run, { follow: options.follow });
  });
}
