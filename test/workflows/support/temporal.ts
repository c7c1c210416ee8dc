import type { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { taskQueues } from '../../../configs/queues.js';
import { createNamespace } from '../../../cli/machine/namespace.js';
import { startTemporal, type TemporalService } from '../../../infra/services/index.js';
import { connectClient } from '../../../client/connection/client.js';
import { ensureSearchAttributes, untilUsable } from '../../../client/searchAttributes.js';
import { dataConverter } from '../../../client/payloads/dataConverter.js';
import { LineLogger } from '../../../workers/log.js';
import { installRuntime } from '../../../workers/temporal/runtime.js';
import type { TemporalSettings } from '../../../client/connection/connectionSettings.js';
import { workflowBundle } from '../../../workers/temporal/workflowBundle.js';
import { ownQueue, type TestActivities } from './activities.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

export interface TestTemporal {
  readonly settings: TemporalSettings;
  readonly client: Client;
  /** Runs workers with these activities while the test runs: on all queues, or without the GPU workers'. */
  withWorkers<T>(activities: TestActivities, queues: 'all' | 'data', test: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** A server, how many of this process's test files it serves, and how many it has served. */
interface Shared {
  readonly server: Promise<TemporalService>;
  users: number;
  namespaces: number;
}

const servers = new Map<string, Shared>();

/**
 * A namespace of the test file's own on a real Temporal server, which is on free ports, with its database in a temporary folder.
 * Files that share a process share the server.
 *
 * @param environment has the payload keys, if there are any.
 * @param dynamicConfiguration of the server.
 */
export async function startTestTemporal(
  environment: NodeJS.ProcessEnv = {},
  dynamicConfiguration: Readonly<Record<string, string>> = {},
): Promise<TestTemporal> {
  const converter = dataConverter(environment);
  const logger = new LineLogger('test', undefined, 'ERROR');
  installRuntime(logger);
  const [server, bundle] = await Promise.all([startNamespace(dynamicConfiguration), workflowBundle(logger, converter)]);
  const settings = { address: server.address, namespace: server.namespace };
  const client = await connectClient(settings, environment);
  const connection = await NativeConnection.connect({ address: server.address });
  const shared = {
    connection,
    namespace: server.namespace,
    dataConverter: converter,
    shutdownForceTime: '5 seconds',
    maxHeartbeatThrottleInterval: 100,
    // Workflows run in this thread: one of their own takes half a second to load what they need, for each group of workers.
    debugMode: true,
    // Ten of each by default, of five workers: the server would be busy with them.
    maxConcurrentWorkflowTaskPolls: 2,
    maxConcurrentActivityTaskPolls: 2,
  } as const;
  return {
    settings,
    client,
    async withWorkers(activities, queues, test) {
      const workers = await Promise.all([
        Worker.create({ ...shared, taskQueue: taskQueues().data, workflowBundle: bundle, activities }),
        Worker.create({ ...shared, taskQueue: taskQueues().evaluate, activities }),
        Worker.create({ ...shared, taskQueue: ownQueue, activities }),
        ...(queues === 'all'
          ? (['gpu', 'predict'] as const).map((kind) =>
              Worker.create({ ...shared, taskQueue: taskQueues()[kind], activities }),
            )
          : []),
      ]);
      const run = workers.reduceRight((inner, worker) => () => worker.runUntil(inner), test);
      return run();
    },
    async stop() {
      await client.connection.close();
      await connection.close();
      await server.stop();
    },
  };
}

async function startNamespace(dynamicConfiguration: Readonly<Record<string, string>>) {
  const key = JSON.stringify(dynamicConfiguration);
  const shared = servers.get(key) ?? {
    server: startTemporal({ directory: temporaryFolder(), port: 0, uiPort: 0, dynamicConfiguration, modest: true }),
    users: 0,
    namespaces: 0,
  };
  servers.set(key, shared);
  shared.users++;
  const number = shared.namespaces++;
  const server = await shared.server;
  const { address } = server;
  const namespace = number === 0 ? server.namespace : `${server.namespace}-${number}`;
  if (number > 0) await prepareNamespace({ address, namespace });
  return {
    address,
    namespace,
    async stop() {
      if (--shared.users > 0) return;
      servers.delete(key);
      await server.stop();
    },
  };
}

async function prepareNamespace(settings: TemporalSettings): Promise<void> {
  const client = await connectClient(settings, {});
  try {
    await createNamespace(client, 1);
    await ensureSearchAttributes(client);
    await untilUsable(client);
  } finally {
    await client.connection.close();
  }
}
