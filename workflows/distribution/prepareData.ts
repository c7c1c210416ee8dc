import type { DataActivities, DataInput, DataWorkerActivities } from '../../activities/types.js';
import { boundActivity, shortActivity } from '../control/activityOptions.js';
import { explain, isVolumeMissing, isWorkerLost } from '../control/failures.js';
import type { StepContext } from '../control/step.js';
import { condition, patched, proxyActivities } from '@temporalio/workflow';
import { runAtMost } from './runAtMost.js';

/** Volumes that go missing again and again are somebody's doing. */
const mostRefetched = 3;

/** Schedules an activity on the chosen worker's own queue; the summary is for the Temporal UI. */
type OnWorker = (summary: string) => DataWorkerActivities;

/**
 * Looks for what the worker needs, fetches and extracts bundles, then does what follows. All of it shares the disk of one data worker, so it runs on that
 * worker's own queue; if it is lost, another one starts anew.
 */
export async function onOneWorker<T>(
  input: DataInput,
  { board, pauses, counted }: StepContext,
  finish: (on: OnWorker) => Promise<T>,
): Promise<T> {
  const { configuration } = input;
  const choosing = shortActivity('choose a data worker');
  const { claimDataWorker } = proxyActivities<DataActivities>(choosing);
  let refetched = 0;
  for (;;) {
    const queue = await pauses.run(() => claimDataWorker());
    const on: OnWorker = (summary) =>
      proxyActivities<DataWorkerActivities>(boundActivity(queue, configuration, summary));
    try {
      // Not in histories of 0.1.
      if (patched('prove-data')) await pauses.run(() => on('look for what the data need').proveData(input));
      await fetchAndExtract(input, on, counted);
      return await pauses.run(() => finish(on));
    } catch (failure) {
      const lost = isWorkerLost(failure);
      if (!lost && !(isVolumeMissing(failure) && ++refetched <= mostRefetched)) throw failure;
      if (lost) board.interrupted('dataset', { preemptions: 0, failures: 1 });
      board.change('dataset', {
        note: lost ? `started anew: ${queue} was lost` : `fetched again: ${explain(failure)}`,
      });
    }
  }
}

/** Extraction of a bundle runs beside the fetching of the next. */
async function fetchAndExtract(input: DataInput, on: OnWorker, counted: StepContext['counted']): Promise<void> {
  const { source } = input.configuration.dataset;
  const bundles = source.kind === 'bundles' ? source.bundles : [];
  let fetched = 0;
  await runAtMost(2, [
    async () => {
      for (const bundle of bundles) {
        await counted(() => on(`fetch ${bundle}`).fetchBundle({ ...input, bundle }));
        fetched++;
      }
    },
    async () => {
      for (const [i, bundle] of bundles.entries()) {
        await condition(() => fetched > i);
        await counted(() => on(`extract ${bundle}`).extractBundle({ ...input, bundle }));
      }
    },
  ]);
}
