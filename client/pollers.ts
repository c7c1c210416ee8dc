import type { Client } from '@temporalio/client';
import { taskQueues } from '../configs/queues.js';

/** Temporal's `TaskQueueType`. */
const taskTypes = { workflow: 1, activity: 2 } as const;

/** Who asked for tasks in the last minutes: identities of the workers of the two queues. */
export async function pollersOf(client: Client): Promise<{ readonly data: string[]; readonly gpu: string[] }> {
  const [data, gpu] = await Promise.all([
    ask(client, taskQueues().data, taskTypes.workflow),
    ask(client, taskQueues().gpu, taskTypes.activity),
  ]);
  return { data, gpu };
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
