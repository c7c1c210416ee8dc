import type { Client } from '@temporalio/client';
import { taskQueues } from '../configs/queues.js';

/** Who asked for tasks in the last minutes. */
export interface Poller {
  readonly identity: string;
  readonly deployment: string | null;
  /** null: unversioned. */
  readonly buildId: string | null;
}

/** Numbers of Temporal's `TaskQueueType` and `WorkerVersioningMode`. */
const taskTypes = { workflow: 1, activity: 2 } as const;
const versionedMode = 2;

/** The pollers of the queues of workflows, training and predictions. */
export async function pollersOf(client: Client): Promise<Readonly<Record<'data' | 'gpu' | 'predict', Poller[]>>> {
  const queues = taskQueues();
  const [data, gpu, predict] = await Promise.all([
    ask(client, queues.data, taskTypes.workflow),
    ask(client, queues.gpu, taskTypes.activity),
    ask(client, queues.predict, taskTypes.activity),
  ]);
  return { data, gpu, predict };
}

/** Identities of the workers that asked a queue for activities of late. @param within milliseconds. */
export async function askingFor(client: Client, queue: string, within: number): Promise<string[]> {
  const { namespace } = client.options;
  const answer = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: taskTypes.activity,
  });
  return (answer.pollers ?? []).flatMap(({ identity, lastAccessTime }) => {
    const age = Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000;
    return age <= within && identity ? [identity] : [];
  });
}

async function ask(client: Client, queue: string, taskQueueType: 1 | 2): Promise<Poller[]> {
  const { namespace } = client.options;
  const answer = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  return (answer.pollers ?? []).map(({ identity, deploymentOptions }) => {
    const versioned = Number(deploymentOptions?.workerVersioningMode ?? 0) === versionedMode;
    return {
      identity: identity ?? 'unknown',
      deployment: versioned ? (deploymentOptions?.deploymentName ?? null) : null,
      buildId: versioned ? (deploymentOptions?.buildId ?? null) : null,
    };
  });
}
