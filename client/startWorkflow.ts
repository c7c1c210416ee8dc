import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, defineSearchAttributeKey, SearchAttributeType } from './temporal.js';
import { searchAttributes, taskQueues, type workflowTypes } from '../configs/temporal.js';
import { RunError } from './connection/client.js';
import { ensureSearchAttributes, withSearchAttributes } from './searchAttributes.js';

export interface WorkflowStart {
  readonly type: (typeof workflowTypes)[keyof typeof workflowTypes];
  readonly workflowId: string;
  /** Name of the run that it is, or is a part of. */
  readonly run: string;
  readonly input: object;
  /** A line of people's. */
  readonly summary: string;
  /** null where it is about none. */
  readonly dataset: string | null;
}

/**
 * Starts a workflow, or starts it again once it has ended: what is done of it is recognised and not done twice.
 *
 * @throws RunError `already-running`
 */
export async function startWorkflow(client: Client, start: WorkflowStart): Promise<void> {
  const { type, workflowId, run, input, summary, dataset } = start;
  await ensureSearchAttributes(client);
  const keyword = (name: string, value: string) => {
    return { key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value };
  };
  try {
    await withSearchAttributes(client, () =>
      client.workflow.start(type, {
        workflowId,
        taskQueue: taskQueues.data,
        args: [input],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: summary,
        typedSearchAttributes: [
          keyword(searchAttributes.run, run),
          ...(dataset === null ? [] : [keyword(searchAttributes.dataset, dataset)]),
        ],
      }),
    );
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    const todo = `See tempeh-flow status ${run}; tempeh-flow cancel ${run} ends it`;
    throw new RunError('already-running', `${workflowId} is running already. ${todo}.`, { cause });
  }
}
