import type { Client, WorkflowHandle } from '@temporalio/client';
import type { FolderPredictionInput, GpuActivities } from '../activities/types.js';
import { workflowTypes } from '../configs/temporal.js';
import { startWorkflow } from './startWorkflow.js';

/**
 * Starts a prediction of folders as a workflow, or starts it again: frames whose predictions are there are skipped.
 *
 * @returns the workflow's id, which is the prediction's name.
 * @throws RunError `already-running`.
 */
export async function startFolderPrediction(client: Client, input: FolderPredictionInput): Promise<string> {
  const { run, job } = input;
  const type = workflowTypes.predictFolders;
  const summary = `predict ${job.stages} of ${job.list.path}`;
  await startWorkflow(client, { type, workflowId: run, run, input, summary, dataset: null });
  return run;
}

/**
 * Goes on with a prediction that has ended. One that replaces predictions has removed them in its planning: where that
 * is done, what is there is its own work, which stays.
 *
 * @param handle of the execution that ended.
 */
export async function resumeFolderPrediction(
  client: Client,
  { run, job }: FolderPredictionInput,
  handle: WorkflowHandle,
): Promise<string> {
  const overwrite = job.overwrite && !(await hasPlanned(handle));
  return startFolderPrediction(client, { run, job: { ...job, overwrite } });
}

const planning: keyof GpuActivities = 'planFolderPrediction';

async function hasPlanned(handle: WorkflowHandle): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  const scheduled = (events ?? []).find(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === planning,
  );
  return (events ?? []).some(({ activityTaskCompletedEventAttributes: completed }) => {
    return completed && String(completed.scheduledEventId) === String(scheduled?.eventId);
  });
}
