import { runNamePattern, runNameRule } from '../../configs/runNames.js';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import { writeSeries } from '../../evaluation/series/readSeries.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { userFault } from '../failures.js';
import type { SeriesDescription } from '../types.js';

/**
 * Notes which runs a series has, for commands that look into the store. What is there of the runs themselves is theirs.
 *
 * @throws ConfigurationInvalid for names that cannot be, and where the series' own is that of a run.
 */
export async function checkAndStoreSeries(
  { run, kind, members, storage }: SeriesDescription,
  openStore: (configuration: StorageConfiguration) => ObjectStore,
): Promise<void> {
  for (const name of [run, ...members.map((member) => member.run)]) {
    if (runNamePattern.test(name)) continue;
    throw userFault('ConfigurationInvalid', `A run's name is ${JSON.stringify(name)}; expected ${runNameRule}.`);
  }
  const store = openStore(storage);
  if ((await store.head(keys.runConfiguration(run))) !== null) {
    const found = `${keys.runConfiguration(run)} in ${store.description} is that of a run`;
    throw userFault('ConfigurationInvalid', `${run} cannot be the name of a series: ${found}. Give it another name.`);
  }
  await writeSeries(store, { version: 1, run, kind, members });
}
