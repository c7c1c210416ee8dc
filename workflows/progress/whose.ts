import { workflowInfo } from '@temporalio/workflow';

/** A step that a run has started reports to that run what happens; a run that a series has started reports for itself. */
export function isStepOfRun(): boolean {
  const { parent, workflowId } = workflowInfo();
  return parent !== undefined && workflowId.includes('/');
}

/** The series that has started this run; null for any other workflow. */
export function seriesOfRun(): string | null {
  const { parent } = workflowInfo();
  return parent === undefined || isStepOfRun() ? null : parent.workflowId;
}
