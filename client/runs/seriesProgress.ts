import type { Client, WorkflowHandle } from '@temporalio/client';
import { messages, workflowTypes } from '../../configs/temporal.js';
import { queryIfAnswered } from './queryIfAnswered.js';
import type { SeriesProgress } from '../../workflows/types.js';

/** Whether its workflow is that of a series. */
export const isSeries = ({ type }: { readonly type: string }): boolean => type === workflowTypes.series;

/** Where the runs of a series are; null while no data worker answers. */
export function querySeries(client: Client, handle: WorkflowHandle): Promise<SeriesProgress | null> {
  return queryIfAnswered<SeriesProgress>(client, handle, messages.seriesProgress);
}
