import { hostname } from 'node:os';
import type { Context } from '@temporalio/activity';
import { messages } from '../../configs/temporal.js';
import type { StageProgress, StageReport } from '../../training/process/protocol.js';

/**
 * Each signal costs the histories of stage and run some dozen events: often while a stage is young, then ever more rarely.
 * 800,000 steps in three weeks come to some 1,250 of them, 9,000 events of the 50,000 that a history may have.
 */
const [leastSeconds, mostSeconds, shareOfAge] = [10, 30 * 60, 0.02];

/** Seconds until the next word, of an attempt that has trained so long. */
export function secondsBetweenSignals(age: number): number {
  return Math.min(mostSeconds, Math.max(leastSeconds, shareOfAge * age));
}

/**
 * Tells a training activity's workflow where the stage is: at its first checkpoint, then as often as
 * `secondsBetweenSignals` says. What the workflow shows is a courtesy; losing it is no fault.
 */
export function stageSignals(context: Context): (progress: StageProgress) => void {
  const begun = performance.now();
  let toldAt = -Infinity;
  let toldStep: number | null = null;
  return (progress) => {
    const age = (performance.now() - begun) / 1000;
    const isFirstCheckpoint = toldStep === null && progress.checkpointStep !== null;
    if (!isFirstCheckpoint && age - toldAt < secondsBetweenSignals(age)) return;
    toldAt = age;
    toldStep ??= progress.checkpointStep;
    const { workflowExecution, attempt } = context.info;
    if (workflowExecution === undefined) return;
    const report: StageProgress & StageReport = { ...progress, attempt, worker: `${hostname()}:${process.pid}` };
    context.client.workflow
      .getHandle(workflowExecution.workflowId, workflowExecution.runId)
      .signal(messages.stageProgress, report)
      .catch((error: unknown) => {
        context.log.warn('The workflow could not be told of the progress.', { error });
      });
  };
}
