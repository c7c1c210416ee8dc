import type { Client } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { runSteps, workflowTypes } from '../../configs/temporal.js';
import { inputOf } from './workflowInput.js';

/** Runs that are looked at, the newest. */
const most = 20;

/**
 * Names and configurations of the newest runs (and steps by themselves) that are under way on a fleet of workers.
 *
 * @param queue of its workflows.
 */
export async function runsUnderWay(
  client: Client,
  queue: string,
): Promise<{ readonly run: string; readonly configuration: RunConfiguration }[]> {
  const types = ['fullTraining' as const, ...runSteps].map((type) => `'${workflowTypes[type]}'`).join(', ');
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${queue}' AND WorkflowType IN (${types})`;
  const runs: { run: string; configuration: RunConfiguration }[] = [];
  for await (const { workflowId, runId, parentExecution } of client.workflow.list({ query, pageSize: 5 * most })) {
    if (parentExecution !== undefined) continue;
    const { configuration } = await inputOf<{ configuration: RunConfiguration }>(client, { workflowId, runId });
    runs.push({ run: workflowId.split('/')[0]!, configuration });
    if (runs.length >= most) break;
  }
  return runs;
}
