import type { Client, WorkflowHandle } from '@temporalio/client';
import { messages, workflowTypes } from '../../configs/temporal.js';
import type { SeriesProgress } from '../../workflows/types.js';

/** Whether its workflow is that of a series. */
export const isSeries = ({ type }: { readonly type: string }): boolean => type === workflowTypes.series;

const querySeconds = 5;

/** Where the runs of a series are; null while no data worker answers. */
export async function querySeries(client: Client, handle: WorkflowHandle): Promise<SeriesProgress | null> {
  try {
    return await client.withDeadline(Date.now() + querySeconds * 1000, () =>
      handle.query<SeriesProgress>(messages.seriesProgress),
    );
  } catch {
    return null;
  }
}
