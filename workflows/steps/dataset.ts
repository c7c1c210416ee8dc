import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities, DatasetSummary } from '../../activities/types.js';
import { shortActivity } from '../control/activityOptions.js';
import { datasetNote } from '../../text/stepNotes.js';
import { onOneWorker } from '../distribution/prepareData.js';
import { runStep } from '../control/step.js';
import type { StepInput } from '../types.js';

/** Fetches, extracts and packs the data set, unless the object store has it. */
export async function dataset(input: StepInput): Promise<DatasetSummary> {
  return runStep('dataset', input, async (context) => {
    const looking = shortActivity('look for the packed data set');
    const { findDataset } = proxyActivities<DataActivities>(looking);
    const there = await context.pauses.run(() => findDataset(input));
    if (there !== null) return { result: there, note: `${datasetNote(there)}; was there` };
    const packed = await onOneWorker(input, context, (on) =>
      context.counted(() => on('pack into the object store').packDataset(input)),
    );
    const interruptions = context.board.interruptions('dataset');
    return { result: { ...packed, ...(interruptions && { interruptions }) }, note: datasetNote(packed) };
  });
}
