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
/** What a queue is asked for. */
export type TaskType = keyof typeof taskTypes;
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

/** Who asks a queue for tasks, by identities. */
export interface Asking {
  /** Those that get them. */
  readonly asking: readonly string[];
  /** Those of other builds than the one that gets the tasks. */
  readonly ofOtherBuilds: readonly string[];
  /** The build that gets the tasks; null: unversioned workers do. */
  readonly build: string | null;
}

/** Who asked a queue for tasks of late. @param within milliseconds. */
export async function askingFor(
  client: Client,
  queue: string,
  within: number,
  type: TaskType = 'activity',
): Promise<Asking> {
  const answer = await describe(client, queue, taskTypes[type]);
  const current = answer.versioningInfo?.currentDeploymentVersion;
  const asking: string[] = [];
  const ofOtherBuilds: string[] = [];
  for (const poller of answer.pollers ?? []) {
    const age = Date.now() - Number(poller.lastAccessTime?.seconds ?? 0) * 1000;
    if (age > within || !poller.identity) continue;
    const { deployment, buildId } = pollerOf(poller);
    const gets = buildId === (current?.buildId || null) && deployment === (current?.deploymentName || null);
    (gets ? asking : ofOtherBuilds).push(poller.identity);
  }
  return { asking, ofOtherBuilds, build: current?.buildId || null };
}

async function ask(client: Client, queue: string, taskQueueType: 1 | 2): Promise<Poller[]> {
  return ((await describe(client, queue, taskQueueType)).pollers ?? []).map(pollerOf);
}

function describe(client: Client, queue: string, taskQueueType: 1 | 2): Promise<Answer> {
  const { namespace } = client.options;
  return client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType });
}

type Answer = Awaited<ReturnType<Client['workflowService']['describeTaskQueue']>>;

function pollerOf({ identity, deploymentOptions }: NonNullable<Answer['pollers']>[number]): Poller {
  const versioned = Number(deploymentOptions?.workerVersioningMode ?? 0) === versionedMode;
  return {
    identity: identity ?? 'unknown',
    deployment: versioned ? (deploymentOptions?.deploymentName ?? null) : null,
    buildId: versioned ? (deploymentOptions?.buildId ?? null) : null,
  };
}
