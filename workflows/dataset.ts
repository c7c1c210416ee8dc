import { condition, proxyActivities } from '@temporalio/workflow';
import type { DataActivities, DatasetSummary, DataWorkerActivities, RunInput } from '../activities/types.js';
import { boundActivity, shortActivity } from './activityOptions.js';
import { explain, isVolumeMissing, isWorkerLost } from './failures.js';
import { datasetNote } from './notes.js';
import type { Pauses } from './pauses.js';
import { runAtMost } from './runAtMost.js';
import { runStep } from './step.js';

/** Volumes that go missing again and again are somebody's doing. */
const mostRefetched = 3;

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
    let refetched = 0;
    for (;;) {
      const queue = await pauses.run(() => claimDataWorker());
      try {
        const result = await prepareOn(queue, input, pauses);
        return { result, note: datasetNote(result) };
      } catch (failure) {
        const lost = isWorkerLost(failure);
        if (!lost && !(isVolumeMissing(failure) && ++refetched <= mostRefetched)) throw failure;
        board.change('dataset', {
          note: lost ? `started anew: ${queue} was lost` : `fetched again: ${explain(failure)}`,
        });
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
