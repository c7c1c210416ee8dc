import type { Client } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  defineSearchAttributeKey,
  SearchAttributeType,
} from './temporal.js';
import { taskQueues } from '../configs/queues.js';
import type { SchedulingConfiguration } from '../configs/schema/scheduling.js';
import { memos, searchAttributes, type workflowTypes } from '../configs/temporal.js';
import { RunError } from './connection/client.js';
import { withoutPayloads } from './payloads/withoutPayloads.js';
import { ensureSearchAttributes, withSearchAttributes } from './searchAttributes.js';

export interface WorkflowStart {
  readonly type: (typeof workflowTypes)[keyof typeof workflowTypes];
  readonly workflowId: string;
  /** Name of the run that it is, or is a part of. */
  readonly run: string;
  readonly input: object;
  /** A human-readable line. */
  readonly summary: string;
  /** null where it is about none. */
  readonly dataset: string | null;
  /** Decides whose turn it is where several runs wait; the run's own if absent. */
  readonly scheduling?: SchedulingConfiguration;
}

/** Bytes that Temporal takes. */
const longestFairnessKey = 64;

/**
 * Starts a workflow, or starts it again once it has ended: what is done of it is recognised and not done twice.
 *
 * @throws RunError `already-running`
 */
export async function startWorkflow(client: Client, start: WorkflowStart): Promise<void> {
  const { type, workflowId, run, input, summary, dataset, scheduling } = start;
  const registered = (await ensureSearchAttributes(client)) !== null;
  const keyword = (name: string, value: string) => {
    return { key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value };
  };
  try {
    await withSearchAttributes(client, () =>
      client.workflow.start(type, {
        workflowId,
        taskQueue: taskQueues().data,
        // Its activities and steps have the same.
        priority: {
          fairnessKey: (scheduling?.team ?? run).slice(0, longestFairnessKey),
          ...(scheduling && { priorityKey: scheduling.priority, fairnessWeight: scheduling.share }),
        },
        args: [input],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: summary,
        // A namespace that we may not look into may not know an attribute that came later.
        ...(registered ? { memo: { [memos.tellsState]: true } } : {}),
        typedSearchAttributes: [
          keyword(searchAttributes.run, run),
          ...(dataset === null ? [] : [keyword(searchAttributes.dataset, dataset)]),
        ],
      }),
    );
  } catch (cause) {
    // The server's own error says the same in other words.
    if (cause instanceof WorkflowExecutionAlreadyStartedError) throw alreadyRunning(workflowId, run);
    throw cause;
  }
}

/** Before anything is written under their names. @throws RunError `already-running` */
export async function refuseRunning(client: Client, ...workflowIds: readonly string[]): Promise<void> {
  const { workflow } = withoutPayloads(client);
  for (const workflowId of workflowIds) {
    try {
      const { status } = await workflow.getHandle(workflowId).describe();
      if (status.name === 'RUNNING') throw alreadyRunning(workflowId, workflowId.split('/')[0]!);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

function alreadyRunning(workflowId: string, run: string): RunError {
  const todo = `See tempeh-flow status ${run}; tempeh-flow cancel ${run} ends it`;
  return new RunError('already-running', `${workflowId} is running already. ${todo}.`);
}
