import { condition, proxyActivities } from '@temporalio/workflow';
import type { DataActivities, DatasetSummary, DataWorkerActivities, RunInput } from '../activities/types.js';
import { boundActivity, shortActivity } from './activityOptions.js';
import { isWorkerLost } from './failures.js';
import { datasetNote } from './notes.js';
import type { Pauses } from './pauses.js';
import { runAtMost } from './runAtMost.js';
import { runStep } from './step.js';

/**
 * Fetches, extracts and packs the data set, unless the object store has it. The three share the disk of one data worker,
 * so they run on that worker's own queue; if it is lost, another one starts anew.
 */
export async function dataset(input: RunInput): Promise<DatasetSummary> {
  return runStep('dataset', input, async ({ board, pauses }) => {
    const looking = shortActivity('look for the packed data set');
    const { findDataset } = proxyActivities<DataActivities>(looking);
    const there = await pauses.run(() => findDataset(input));
    if (there !== null) return { result: there, note: `${datasetNote(there)}; was there` };

    const choosing = shortActivity('choose a data worker');
    const { claimDataWorker } = proxyActivities<DataActivities>(choosing);
    for (;;) {
      const queue = await pauses.run(() => claimDataWorker());
      try {
        const result = await prepareOn(queue, input, pauses);
        return { result, note: datasetNote(result) };
      } catch (failure) {
        if (!isWorkerLost(failure)) throw failure;
        board.change('dataset', { note: `the data worker ${queue} was lost; started anew on another` });
      }
    }
  });
}

/** Extraction of a bundle runs beside the fetching of the next; packing when all are there. */
async function prepareOn(queue: string, input: RunInput, pauses: Pauses): Promise<DatasetSummary> {
  const { configuration } = input;
  const on = (summary: string) => proxyActivities<DataWorkerActivities>(boundActivity(queue, configuration, summary));
  const { source } = configuration.dataset;
  const bundles = source.kind === 'bundles' ? source.bundles : [];
  let fetched = 0;
  await runAtMost(2, [
    async () => {
      for (const bundle of bundles) {
        await pauses.run(() => on(`fetch ${bundle}`).fetchBundle({ ...input, bundle }));
        fetched++;
      }
    },
    async () => {
      for (const [i, bundle] of bundles.entries()) {
        await condition(() => fetched > i);
        await pauses.run(() => on(`extract ${bundle}`).extractBundle({ ...input, bundle }));
      }
    },
  ]);
  return pauses.run(() => on('pack into the object store').packDataset(input));
}
