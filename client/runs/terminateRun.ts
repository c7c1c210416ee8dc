import type { Client } from '@temporalio/client';
import { withoutPayloads } from '../payloads/withoutPayloads.js';
import { WorkflowNotFoundError } from '../temporal.js';
import { findRun } from './findRun.js';
import { assertRunning } from './runs.js';

/**
 * Ends a run and its steps without its workers, who need not be able to read it: a run whose key is lost, say. What trains is
 * stopped at its next sign of life, and saves if it can.
 *
 * @throws RunError
 */
export async function terminateRun(client: Client, run: string): Promise<void> {
  const names = withoutPayloads(client);
  const { handle, description } = await findRun(names, run);
  assertRunning(run, description);
  await terminateWithChildren(names, handle.workflowId);
}

/** The parent first, which would go on without a child. */
async function terminateWithChildren(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { raw } = await handle.describe();
    await handle.terminate('tempeh-flow cancel --terminate');
    await Promise.all(
      (raw.pendingChildren ?? []).map((child) => terminateWithChildren(client, child.workflowId ?? '')),
    );
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
