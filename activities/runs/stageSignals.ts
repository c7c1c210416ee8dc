import type { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { messages } from '../../configs/temporal.js';
import type { AttemptsReport, StageProgress, StageReport } from '../../training/process/protocol.js';
import { workerName } from '../workerName.js';

/**
 * Each signal costs the histories of stage and run some dozen events: often while a stage is young, then ever more rarely.
 * 800,000 steps in three weeks come to some 1,000 of them; ten years to less than 4,000, of the 50,000 events that a history
 * may have.
 */
const [leastSeconds, usualSeconds, shareWhileYoung, shareLater] = [10, 30 * 60, 0.02, 0.002];

/** Seconds until the next signal, of a stage that has been under way so long, all attempts together. */
export function secondsBetweenSignals(age: number): number {
  const often = Math.min(usualSeconds, Math.max(leastSeconds, shareWhileYoung * age));
  return Math.max(often, shareLater * age);
}

type StageTold = (progress: StageProgress, report: AttemptsReport) => void;

/** Warnings of an attempt that are not kept for the next signal. */
const warningsAtOnce = 3;

/**
 * Signals a training activity's workflow where the stage is: at its first checkpoint, where something is warned of, then as
 * often as `secondsBetweenSignals` says. What the workflow shows is a courtesy; losing it is no fault.
 *
 * @param client of the connection that there is then: the context's own is of the one that there was when the activity began,
 * and closed once certificates are renewed.
 */
export function stageSignals(context: Context, client: () => Client): StageTold {
  const begun = performance.now();
  // Where machines are pre-empted every hour, attempts that each began with a signal would fill the history in weeks.
  const before = Math.max(0, Date.now() - context.info.scheduledTimestampMs) / 1000;
  const isYoung = secondsBetweenSignals(before) < usualSeconds;
  let toldAt = isYoung ? -Infinity : before;
  let toldStep: number | null = null;
  let warned: string | undefined;
  let warnings = 0;
  return (progress, { interrupted, warnings: all }) => {
    const age = before + (performance.now() - begun) / 1000;
    const isFirstCheckpoint = isYoung && toldStep === null && progress.checkpointStep !== null;
    const isWarning = all?.at(-1) !== warned && warnings < warningsAtOnce;
    if (!isFirstCheckpoint && !isWarning && age - toldAt < secondsBetweenSignals(age)) return;
    if (isWarning) warnings++;
    warned = all?.at(-1);
    toldAt = age;
    toldStep ??= progress.checkpointStep;
    const { workflowExecution, attempt } = context.info;
    if (workflowExecution === undefined) return;
    const report: StageProgress & StageReport = {
      ...progress,
      attempt,
      worker: workerName(),
      ...(interrupted && { interrupted }),
      ...(all && { warnings: all }),
    };
    client()
      .workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId)
      .signal(messages.stageProgress, report)
      .catch((error: unknown) => {
        context.log.warn('The workflow could not be notified of the progress.', { error });
      });
  };
}
