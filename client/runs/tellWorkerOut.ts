import type { Client } from '@temporalio/client';
import { keptOfStep, messages } from '../../configs/temporal.js';
import type { RunProgress } from '../../workflows/types.js';
import { queryIfAnswered } from './queryIfAnswered.js';

/**
 * Tells a run that a worker asks for no tasks because it could not do the run's: its log is on a machine that whoever looks
 * at the run may not know of. What a host has said already is not said again, for each word stays in the run's history.
 *
 * @param worker `HOST:PID`.
 */
export async function tellWorkerOut(client: Client, workflowId: string, worker: string, reason: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const progress = await queryIfAnswered<RunProgress>(client, handle, messages.progress);
  if (progress === null) return;
  const { warnings = [] } = progress;
  const said = `takes no tasks: ${reason}`;
  const host = worker.slice(0, worker.lastIndexOf(':'));
  const isKnown = warnings.some((warning) => warning.includes(`worker ${host}:`) && warning.endsWith(said));
  if (isKnown || warnings.length >= keptOfStep.warnings) return;
  const now = new Date().toISOString().slice(0, 16).replace('T', ' ');
  await handle.signal(messages.workerOut, `${now} UTC: worker ${worker} ${said}`);
}
