import type { Context } from '@temporalio/activity';
import { messages } from '../../configs/temporal.js';
import type { StageProgress } from '../../training/process/protocol.js';

/** A run of weeks must not fill its history: each signal costs it a handful of events. */
const quietMilliseconds = 30 * 60 * 1000;

/**
 * Tells a training activity's workflow where the stage is: at its first checkpoint, then at checkpoints every
 * half-hour at most. What the workflow shows is a courtesy; losing it is no fault.
 */
export function stageSignals(context: Context): (progress: StageProgress) => void {
  let toldAt = -Infinity;
  let toldStep: number | null = null;
  return (progress) => {
    const { checkpointStep } = progress;
    if (checkpointStep === null || checkpointStep === toldStep || performance.now() - toldAt < quietMilliseconds)
      return;
    toldAt = performance.now();
    toldStep = checkpointStep;
    const { workflowExecution } = context.info;
    if (workflowExecution === undefined) return;
    context.client.workflow
      .getHandle(workflowExecution.workflowId, workflowExecution.runId)
      .signal(messages.stageProgress, progress)
      .catch((error: unknown) => {
        context.log.warn('The workflow could not be told of a checkpoint.', { error });
      });
  };
}
