import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { Interruptions, MaybeInterrupted } from '../../activities/types.js';
import { sumOfInterruptions } from '../../configs/temporal.js';
import type { RunProgress, StepInput } from '../../workflows/types.js';
import { valueOf } from '../payloads/values.js';
import { inputOf } from './workflowInput.js';

type StageProgress = NonNullable<RunProgress['training']>;

/** What the history of a step that came to no result says of it. */
export interface StepRecord {
  /** Where its stage was saved last. */
  readonly training: StageProgress | null;
  /** Of the attempts that have ended. */
  readonly interruptions?: Interruptions;
}

/** Events that are read, the last: of a history that is longer the attempts before them are missing. */
const mostEvents = 1000;

/** Reads the end of a step's history: each activity that was stopped or has failed says how far it came, and after what. */
export async function stepRecord(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
): Promise<StepRecord> {
  const [{ history }, input] = await Promise.all([
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: mostEvents,
    }),
    inputOf<Partial<StepInput>>(client, { workflowId, runId }),
  ]);
  const ends = (history?.events ?? []).map((event) => {
    const { activityTaskCanceledEventAttributes, activityTaskFailedEventAttributes: failed } = event;
    const { activityTaskCompletedEventAttributes: completed } = event;
    const details =
      activityTaskCanceledEventAttributes?.details?.payloads ??
      failed?.failure?.applicationFailureInfo?.details?.payloads;
    return { details: details ?? [], result: completed?.result?.payloads?.[0] };
  });
  const own = Object.values(input.interruptions ?? {});
  const told: Interruptions[] = [];
  let training: StageProgress | null = null;
  for (const { details, result } of ends) {
    const [progress, interruptions] = await Promise.all(details.slice(0, 2).map((one) => objectIn(client, one)));
    if (training === null && isProgress(progress)) training = progress;
    if (isInterruptions(interruptions)) told.unshift(interruptions);
    const answer: MaybeInterrupted | null = result ? await objectIn(client, result) : null;
    if (isInterruptions(answer?.interruptions)) told.unshift(answer.interruptions);
  }
  const all = [...own, ...told];
  return { training, ...(all.length > 0 && { interruptions: sumOfInterruptions(all) }) };
}

async function objectIn(client: Client, payload: Payload | null | undefined): Promise<object | null> {
  const value = await valueOf<unknown>(client, payload);
  return typeof value === 'object' ? value : null;
}

function isProgress(value: object | null | undefined): value is StageProgress {
  return typeof value === 'object' && value !== null && 'totalSteps' in value && 'stage' in value;
}

function isInterruptions(value: object | null | undefined): value is Interruptions {
  return typeof value === 'object' && value !== null && 'preemptions' in value && 'failures' in value;
}
