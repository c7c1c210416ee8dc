import type { Client } from '@temporalio/client';
import type { DataInput } from '../activities/types.js';
import { workflowTypes } from '../configs/temporal.js';
import { startWorkflow } from './startWorkflow.js';

/**
 * Starts a fetch of published data by itself, or starts it again: what is there is not fetched twice.
 *
 * @returns the workflow's id, which is the fetch's name.
 * @throws RunError `already-running`.
 */
export async function startFetch(client: Client, input: DataInput): Promise<string> {
  const { run, configuration } = input;
  const { source, name } = configuration.dataset;
  const summary = `fetch ${source.kind === 'bundles' ? source.bundles.join(', ') : name}`;
  await startWorkflow(client, {
    type: workflowTypes.fetchPublished,
    workflowId: run,
    run,
    input,
    summary,
    dataset: name,
  });
  return run;
}
