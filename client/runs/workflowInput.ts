import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { RunError } from '../connection/client.js';
import { valueOf } from '../payloads/values.js';

/** What a workflow was started with, from the first event of its history; the workflow's type says what that is. */
export async function inputOf<Input>(
  client: Client,
  { workflowId, runId }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<Input> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  const input = await valueOf<Input>(client, payload);
  if (input !== null) return input;
  throw new RunError('not-found', `The history of ${workflowId} does not contain its configuration.`);
}
