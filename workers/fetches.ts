import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { DataInput } from '../activities/types.js';
import { searchAttributes, taskQueues, workflowTypes } from '../configs/temporal.js';
import { ensureSearchAttributes, RunError } from './client.js';

/**
 * Starts a fetch of published data by itself, or starts it again: what is there is not fetched twice.
 *
 * @returns the workflow's id, which is the fetch's name.
 * @throws RunError `already-running`.
 */
export async function startFetch(client: Client, input: DataInput): Promise<string> {
  const { run, configuration } = input;
  await ensureSearchAttributes(client);
  const keyword = (name: string, value: string) => {
    return { key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value };
  };
  const { source, name } = configuration.dataset;
  try {
    await client.workflow.start(workflowTypes.fetchPublished, {
      workflowId: run,
      taskQueue: taskQueues.data,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `fetch ${source.kind === 'bundles' ? source.bundles.join(', ') : name}`,
      typedSearchAttributes: [keyword(searchAttributes.run, run), keyword(searchAttributes.dataset, name)],
    });
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    const todo = `See tempeh-flow status ${run}; tempeh-flow cancel ${run} ends it`;
    throw new RunError('already-running', `${run} is running already. ${todo}.`, { cause });
  }
  return run;
}
