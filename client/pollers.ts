import type { Client } from '@temporalio/client';
import { taskQueues } from '../configs/queues.js';

/** Temporal's `TaskQueueType`. */
const taskTypes = { workflow: 1, activity: 2 } as const;

/** Who asked for tasks in the last minutes: identities of the workers by queue: of workflows, training, predictions. */
export async function pollersOf(client: Client): Promise<Readonly<Record<'data' | 'gpu' | 'predict', string[]>>> {
  const [data, gpu, predict] = await Promise.all([
    ask(client, taskQueues().data, taskTypes.workflow),
    ask(client, taskQueues().gpu, taskTypes.activity),
    ask(client, taskQueues().predict, taskTypes.activity),
  ]);
  return { data, gpu, predict };
}

async function ask(client: Client, queue: string, taskQueueType: 1 | 2): Promise<string[]> {
  const { namespace } = client.options;
  const answer = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  return (answer.pollers ?? []).map(({ identity }) => identity ?? 'unknown');
}
