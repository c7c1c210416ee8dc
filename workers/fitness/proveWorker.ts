import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import { diskObstacle, runObstacle } from '../../activities/fitness.js';
import type { WorkerLimits } from '../../activities/workerLimits.js';
import { runsUnderWay, type RunUnderWay } from '../../client/runs/runsUnderWay.js';
import { workerName } from '../../activities/workerName.js';
import { tellWorkerOut } from '../../client/runs/tellWorkerOut.js';
import { openStore } from '../../storage/openStore.js';

/** Between two looks, milliseconds. */
const firstPause = 2_000;
const longestPause = 15_000;

export interface ProofOptions {
  readonly client: Client;
  /** The queue that runs of this worker's fleet are started on. */
  readonly dataQueue: string;
  readonly directory: string;
  readonly limits: WorkerLimits;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called with why it takes no tasks yet. */
  readonly onObstacle: (reason: string) => void;
}

/**
 * Returns when this worker could work: it can write to its disk, and of the runs that are under way at least one is such
 * that its store takes the worker's credentials and its folder is seen. Until then it says why not, and looks again.
 */
export function proveWorker({ signal, ...options }: ProofOptions): Promise<void> {
  const told = new Set<string>();
  const tell: Tell = async (workflowId, reason) => {
    if (told.has(workflowId)) return;
    told.add(workflowId);
    try {
      await tellWorkerOut(options.client, workflowId, workerName(), reason);
    } catch (error) {
      options.logger.debug(`${workflowId} cannot be told why this worker takes no tasks: ${(error as Error).message}`);
    }
  };
  return untilFit(() => obstacleOf(options, tell), options.logger, signal, options.onObstacle);
}

/** Tells a run why this worker is no use to it. */
type Tell = (workflowId: string, reason: string) => Promise<void>;

/** Returns when something can be written to a folder, or it is told to stop; until then it says why not. */
export function waitForDisk(directory: string, logger: Logger, signal?: AbortSignal): Promise<void> {
  return untilFit(() => diskObstacle(directory), logger, signal);
}

async function untilFit(
  look: () => Promise<string | null>,
  logger: Logger,
  signal?: AbortSignal,
  onObstacle?: (reason: string) => void,
): Promise<void> {
  let told = '';
  for (let pause = firstPause; signal?.aborted !== true; pause = Math.min(2 * pause, longestPause)) {
    const reason = await look();
    if (reason === null) return;
    if (reason !== told) logger.error(`This worker takes no tasks: ${reason}`);
    told = reason;
    onObstacle?.(reason);
    await sleep(pause, undefined, signal && { signal }).catch(() => undefined);
  }
}

async function obstacleOf(options: Omit<ProofOptions, 'signal'>, tell: Tell): Promise<string | null> {
  const { client, dataQueue, directory, limits, logger } = options;
  const disk = await diskObstacle(directory);
  if (disk !== null) return disk;
  const obstacles = new Map<string, string | null>();
  const runs = await underWay(client, dataQueue, logger);
  const placeOf = ({ configuration: { storage, dataset } }: RunUnderWay): string =>
    JSON.stringify([storage, dataset.source]);
  for (const underway of runs) {
    const { run, configuration } = underway;
    // Runs share stores: each is asked once.
    const place = placeOf(underway);
    if (!obstacles.has(place)) obstacles.set(place, await runObstacle(run, configuration, limits, openStore));
  }
  const reasons = [...obstacles.values()].filter((reason) => reason !== null);
  if (reasons.length > 0 && reasons.length === obstacles.size) {
    for (const run of runs) await tell(run.workflowId, obstacles.get(placeOf(run)) ?? '');
    return reasons.join(' ');
  }
  for (const reason of reasons) logger.warn(`Of the runs under way there is one that this worker cannot do: ${reason}`);
  return null;
}

async function underWay(client: Client, queue: string, logger: Logger): ReturnType<typeof runsUnderWay> {
  try {
    return await runsUnderWay(client, queue);
  } catch (error) {
    logger.debug(`Which runs are under way Temporal does not say: ${(error as Error).message}`);
    return [];
  }
}
