import type { Client } from '@temporalio/client';
import { deviceLabel } from '../../activities/devices.js';
import { RunError } from '../runError.js';
import { WorkflowNotFoundError } from '../temporal.js';
import type { ListedRun } from './listRuns.js';
import { pendingActivities, type PendingActivity } from './pendingActivities.js';

/** The GPUs that running activities compute on, human-readable: `GPU 0, NVIDIA H200`. */
export function devicesOf(activities: readonly PendingActivity[]): string[] {
  const labels = activities.flatMap(({ state, heartbeat }) => {
    const device = state === 'running' && heartbeat !== null && 'device' in heartbeat ? heartbeat.device : undefined;
    return device === undefined || device.index === null ? [] : [deviceLabel(device)];
  });
  return [...new Set(labels)].sort();
}

/** Listed runs with the GPUs that they compute on now: of each that runs, its step is asked. */
export function withDevices(
  client: Client,
  runs: readonly ListedRun[],
): Promise<(ListedRun & { readonly devices: readonly string[] })[]> {
  return Promise.all(runs.map(async (run) => ({ ...run, devices: await devicesAt(client, run) })));
}

async function devicesAt(client: Client, { workflowId, run, status, stage }: ListedRun): Promise<readonly string[]> {
  if (status !== 'RUNNING' || stage === null) return [];
  const step = workflowId === run ? `${run}/${stage}` : workflowId;
  try {
    return devicesOf(await pendingActivities(client, await client.workflow.getHandle(step).describe()));
  } catch (error) {
    // It has not begun, or ended in between; or its key is not ours.
    if (error instanceof WorkflowNotFoundError || (error instanceof RunError && error.reason === 'setting')) return [];
    throw error;
  }
}
