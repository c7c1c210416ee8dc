import { createDataActivities } from '../activities/dataActivities.js';
import { createDataWorkerActivities } from '../activities/dataWorkerActivities.js';
import { hostTable } from '../activities/credentials/hostTable.js';
import { noticeHook } from '../activities/notices/noticeHook.js';
import type { EvaluateShardInput } from '../activities/types.js';
import { WorkerLimits } from '../activities/workerLimits.js';
import { taskQueues } from '../configs/queues.js';
import { openStore } from '../storage/openStore.js';
import { LineLogger } from './log.js';
import { waitForDisk } from './fitness/proveWorker.js';
import { diskQueue } from './ownDirectory/diskQueue.js';
import { ownDirectory } from './ownDirectory/ownDirectory.js';
import { runWorkers, type WorkerProcessOptions } from './temporal/runWorkers.js';
import { workflowBundle } from './temporal/workflowBundle.js';
import { withCleanUp } from '../storage/async/cleanUp.js';

/**
 * Runs workflows, fetches, extracts, packs and evaluates until it is told to stop. What needs the worker's disk comes by
 * a queue of its own.
 *
 * @throws DirectoryTaken if another data worker runs on its folder.
 */
export async function runDataWorker(options: WorkerProcessOptions): Promise<void> {
  const { directory, environment = process.env } = options;
  const limits = WorkerLimits.of(directory, environment);
  const logger = new LineLogger('data', options.writeLog);
  // It is read again for each host that is asked: a mistake in it is to be seen before.
  await hostTable(environment['TEMPEH_HOSTS_FILE']).catch((cause: Error) => logger.warn(cause.message));
  await waitForDisk(directory, logger, options.signal);
  const own = await ownDirectory(directory, {
    ...(options.signal ? { signal: options.signal } : {}),
    onWait: (message) => logger.warn(message),
  });
  const signal = options.signal ? AbortSignal.any([options.signal, own.lost]) : own.lost;
  await withCleanUp(
    async () => {
      await runDefined({ ...options, signal }, limits, environment);
      own.lost.throwIfAborted();
    },
    () => own.release(),
  );
}

async function runDefined(
  options: WorkerProcessOptions,
  limits: WorkerLimits,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { directory } = options;
  const hook = await noticeHook(environment);
  const queues = taskQueues(environment);
  await runWorkers('data', options, async ({ stopping, logger, converter }) => {
    const [bundle, ownQueue] = await Promise.all([
      workflowBundle(logger.quiet(), converter),
      diskQueue(queues.data, directory),
    ]);
    const activities = createDataActivities({ openStore, limits, ownQueue, stopping, hook });
    return [
      {
        taskQueue: queues.data,
        workflowBundle: bundle,
        activities,
        maxConcurrentActivityTaskExecutions: 8,
      },
      {
        taskQueue: queues.evaluate,
        activities: { evaluateShard: (input: EvaluateShardInput) => activities.evaluateShard(input) },
        // It keeps a core busy, and a worker that is killed costs no more than one.
        maxConcurrentActivityTaskExecutions: 1,
      },
      {
        taskQueue: ownQueue,
        ofAnyVersion: true,
        activities: createDataWorkerActivities({ openStore, directory, limits, environment, stopping }),
        // Fetching and extraction of one data set run side by side.
        maxConcurrentActivityTaskExecutions: 4,
      },
    ];
  });
}
