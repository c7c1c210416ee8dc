import type { Client } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { runSteps, workflowTypes } from '../../configs/temporal.js';
import { orUnreadable, withoutPayloads } from '../payloads/withoutPayloads.js';
import { inputOf } from './workflowInput.js';

/** A run, or a step by itself, that is under way. */
export interface RunUnderWay {
  readonly run: string;
  /** Of a step by itself, that step's. */
  readonly workflowId: string;
  readonly configuration: RunConfiguration;
}

/** Runs that are looked at, the newest. */
const most = 20;

/**
 * Names and configurations of the newest runs (and steps by themselves) that are under way on a fleet of workers.
 *
 * @param queue of its workflows.
 */
export async function runsUnderWay(client: Client, queue: string): Promise<RunUnderWay[]> {
  const types = ['fullTraining' as const, ...runSteps].map((type) => `'${workflowTypes[type]}'`).join(', ');
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${queue}' AND WorkflowType IN (${types})`;
  const runs: RunUnderWay[] = [];
  const found = withoutPayloads(client).workflow.list({ query, pageSize: 5 * most });
  for await (const { workflowId, runId, parentExecution } of found) {
    if (parentExecution !== undefined) continue;
    // A run whose key we have not says nothing about others.
    const input = await inputOf<{ configuration: RunConfiguration }>(client, { workflowId, runId }).catch(orUnreadable);
    if (input === null) continue;
    runs.push({ run: workflowId.split('/')[0]!, workflowId, configuration: input.configuration });
    if (runs.length >= most) break;
  }
  return runs;
}
