import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '../temporal.js';
import { runSteps, type RunStep } from '../../configs/temporal.js';
import { RunError } from '../connection/client.js';

/** The workflow of a run, or of a step of it that was started by itself. */
export interface FoundRun {
  readonly handle: WorkflowHandle;
  readonly description: WorkflowExecutionDescription;
  /** The step of a single step's workflow; null for full training. */
  readonly step: RunStep | null;
}

/** {@link findRun}; null where Temporal knows no such run. */
export async function findRunIfKnown(client: Client, run: string): Promise<FoundRun | null> {
  try {
    return await findRun(client, run);
  } catch (error) {
    if (error instanceof RunError && error.reason === 'not-found') return null;
    throw error;
  }
}

/** The run's workflow, or that of the step which was started by itself last. @throws RunError `not-found` */
export async function findRun(client: Client, run: string): Promise<FoundRun> {
  const found: FoundRun[] = [];
  for (const step of [null, ...runSteps]) {
    const handle = client.workflow.getHandle(step === null ? run : `${run}/${step}`);
    try {
      const description = await handle.describe();
      if (step === null) return { handle, description, step };
      found.push({ handle, description, step });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  found.sort((a, b) => b.description.startTime.getTime() - a.description.startTime.getTime());
  if (found[0] !== undefined) return found[0];
  const forgotten = `One whose retention is over goes on with tempeh-flow resume ${run}`;
  throw new RunError(
    'not-found',
    `Temporal knows no run ${run}; tempeh-flow list shows those that it knows. ${forgotten}.`,
  );
}
