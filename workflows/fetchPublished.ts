import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities, DataInput, DatasetSummary, FilesSummary } from '../activities/types.js';
import { shortActivity } from './control/activityOptions.js';
import { datasetNote } from '../text/stepNotes.js';
import { onOneWorker } from './distribution/prepareData.js';
import { runStep } from './control/step.js';

/** What a fetch came to: a packed data set, stored files, or folders on the worker's disk. */
export type FetchResult =
  | { readonly kind: 'dataset'; readonly dataset: DatasetSummary }
  | { readonly kind: 'files'; readonly stored: readonly FilesSummary[] }
  | { readonly kind: 'folders'; readonly bundles: readonly string[] };

/**
 * Fetches published bundles by themselves: into folders on a data worker's disk, or on into the object store; packed
 * where they hold frames.
 */
export async function fetchPublished(input: DataInput): Promise<FetchResult> {
  return runStep('dataset', input, async (context) => fetchAndStore(input, context), { isRun: false });
}

async function fetchAndStore(
  input: DataInput,
  context: Parameters<Parameters<typeof runStep>[2]>[0],
): Promise<{ result: FetchResult; note: string }> {
  const { dataset, storage } = input.configuration;
  const { layout, source } = dataset;
  const bundles = source.kind === 'bundles' ? source.bundles : [];
  const hasFrames = layout.train !== null || layout.validation !== null || layout.test !== null;
  if (storage === null) {
    await onOneWorker(input, context, async () => {});
    return { result: { kind: 'folders', bundles }, note: `${bundles.join(', ')}: below ${dataset.extracted}` };
  }
  if (!hasFrames) {
    const stored = await onOneWorker(input, context, async (on) => {
      const all: FilesSummary[] = [];
      for (const bundle of bundles) {
        all.push(await context.counted(() => on(`store ${bundle}`).packFiles({ ...input, bundle })));
      }
      return all;
    });
    const note = stored.map(({ prefix, files }) => `${prefix}: ${files} files`).join('; ');
    return { result: { kind: 'files', stored }, note };
  }
  const { findDataset } = proxyActivities<DataActivities>(shortActivity('look for the packed data set'));
  const there = await context.pauses.run(() => findDataset(input));
  if (there !== null) {
    return { result: { kind: 'dataset', dataset: there }, note: `${datasetNote(there)}; was there` };
  }
  const packed = await onOneWorker(input, context, (on) =>
    context.counted(() => on('pack into the object store').packDataset(input)),
  );
  return { result: { kind: 'dataset', dataset: packed }, note: datasetNote(packed) };
}
