import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '../temporal.js';
import { isUnknownAttribute } from '../searchAttributes.js';
import { searchAttributes } from '../../configs/temporal.js';

export interface ListedRun {
  readonly run: string;
  readonly workflowId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
  /** The step that it is at, or ended at. */
  readonly stage: string | null;
  /** The training step that it reported last. */
  readonly step: number | null;
  readonly dataset: string | null;
}

/** Runs, and steps that were started by themselves, the newest first; several entries for a run that was resumed. */
export async function listRuns(client: Client, limit = 50): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  const found = client.workflow.list({ query: `${searchAttributes.run} IS NOT NULL`, pageSize: 200 });
  try {
    for await (const execution of found) {
      // Steps of a full training are told by its own line.
      if (execution.parentExecution !== undefined) continue;
      runs.push(listed(execution));
      if (runs.length >= limit) break;
    }
  } catch (error) {
    // Where nothing was started yet, nothing is registered that runs could be found by.
    if (!isUnknownAttribute(error)) throw error;
  }
  return runs;
}

function listed({ workflowId, status, startTime, closeTime, typedSearchAttributes }: WorkflowExecutionInfo): ListedRun {
  const keyword = (name: string) => {
    return typedSearchAttributes.get(defineSearchAttributeKey(name, SearchAttributeType.KEYWORD)) ?? null;
  };
  return {
    run: keyword(searchAttributes.run) ?? workflowId,
    workflowId,
    status: status.name,
    startedAt: startTime,
    closedAt: closeTime ?? null,
    stage: keyword(searchAttributes.stage),
    step: typedSearchAttributes.get(defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT)) ?? null,
    dataset: keyword(searchAttributes.dataset),
  };
}
