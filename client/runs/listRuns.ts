import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '../temporal.js';
import { isUnknownAttribute } from '../searchAttributes.js';
import { withoutPayloads } from '../payloads/withoutPayloads.js';
import { searchAttributes, type ListedState, type RunStep } from '../../configs/temporal.js';

export interface ListedRun {
  readonly run: string;
  readonly workflowId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly state: ListedState;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
  /** The step that it is at, or ended at. */
  readonly stage: string | null;
  /** The training step that it reported last; null where it is at something else. */
  readonly step: number | null;
  readonly dataset: string | null;
  /** The series that has started it; null where somebody did. */
  readonly series: string | null;
}

/** Steps of a run in which nothing is trained: the number of the last one that was stays in Temporal's index. */
const withoutIterations: readonly string[] = ['dataset', 'predictions', 'evaluation'] satisfies RunStep[];

/** What runs are wanted; all if nothing is said. */
export interface RunFilter {
  readonly state?: ListedState;
  /** The step that it is at. */
  readonly stage?: string;
  readonly dataset?: string;
}

/**
 * Runs, and steps that were started by themselves, the newest first; the last execution of one that was resumed.
 *
 * @param limit so many at most.
 */
export async function listRuns(client: Client, limit = 50, filter: RunFilter = {}): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  const seen = new Set<string>();
  const found = withoutPayloads(client).workflow.list({ query: queryOf(filter), pageSize: 200 });
  try {
    for await (const execution of found) {
      // Steps of a full training appear in its own line; runs of a series have their own.
      const isStep = execution.parentExecution !== undefined && execution.workflowId.includes('/');
      if (isStep || seen.has(execution.workflowId)) continue;
      seen.add(execution.workflowId);
      const run = listed(execution);
      // A later execution may be in another state than the one that was found.
      if (filter.state === undefined || run.state === filter.state) runs.push(run);
      if (runs.length >= limit) break;
    }
  } catch (error) {
    // Where nothing was started yet, nothing is registered that runs could be found by.
    if (!isUnknownAttribute(error)) throw error;
  }
  return runs;
}

/** What of the filter Temporal knows: each execution by itself. The state is looked at in its last one. */
function queryOf({ stage, dataset }: RunFilter): string {
  const is = (name: string, value: string | undefined): string[] => {
    return value === undefined ? [] : [`${name} = '${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`];
  };
  const conditions = [
    `${searchAttributes.run} IS NOT NULL`,
    ...is(searchAttributes.stage, stage),
    ...is(searchAttributes.dataset, dataset),
  ];
  return conditions.join(' AND ');
}

function listed(execution: WorkflowExecutionInfo): ListedRun {
  const { workflowId, status, startTime, closeTime, typedSearchAttributes, parentExecution } = execution;
  const keyword = (name: string) => {
    return typedSearchAttributes.get(defineSearchAttributeKey(name, SearchAttributeType.KEYWORD)) ?? null;
  };
  const stage = keyword(searchAttributes.stage);
  const step = typedSearchAttributes.get(defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT));
  return {
    run: keyword(searchAttributes.run) ?? workflowId,
    workflowId,
    status: status.name,
    state: stateOf(status.name, keyword(searchAttributes.state)),
    startedAt: startTime,
    closedAt: closeTime ?? null,
    stage,
    step: stage !== null && withoutIterations.includes(stage) ? null : (step ?? null),
    dataset: keyword(searchAttributes.dataset),
    series: parentExecution?.workflowId ?? null,
  };
}

function stateOf(status: WorkflowExecutionStatusName, told: string | null): ListedState {
  switch (status) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
      return told === 'paused' ? 'paused' : 'running';
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    default:
      return 'ended';
  }
}
