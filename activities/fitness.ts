import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { makeFolder } from '../disk/makeFolder.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import type { Device } from './devices.js';
import { checkPlace } from './places.js';
import type { WorkerLimits } from './workerLimits.js';

/** Says why a worker cannot work; null where it can. */
export type Obstacle = () => Promise<string | null>;

/** What activities report to their worker about itself: that it, and not the run, is at fault. */
export interface Fitness {
  /** The worker takes no tasks from now on, until the obstacle is gone; asked now and then. What runs goes on. */
  takeOut(reason: string, obstacle: Obstacle): void;
  /**
   * Whether other workers ask for the current activity's tasks.
   *
   * @param except those of them that have been at fault, as `HOST:PID`.
   */
  hasOthers(except: readonly string[]): Promise<boolean>;
  /** Computes something on a device that a process ended on; one that cannot is taken out. null: it works. */
  deviceProblem(device: Device): Promise<string | null>;
}

/** How many workers a store has to refuse before the run is at fault. */
export const mostRefused = 3;

const probeBytes = 2 ** 20;
/** A store that takes longer is away: that is waited for elsewhere. */
const storeTimeout = 10_000;

/** What this worker itself would fail at: its disk is full, read-only, or broken. @param directory its own folder. */
export async function diskObstacle(directory: string): Promise<string | null> {
  const file = join(directory, `.probe-${process.pid}`);
  try {
    await makeFolder(directory);
    await writeFile(file, Buffer.alloc(probeBytes), { flush: true });
    return null;
  } catch (error) {
    return `Nothing can be written to ${directory}: ${(error as Error).message}`;
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/**
 * What keeps this worker from a run: a store that its owner does not allow, that refuses its credentials or does not exist,
 * frames of a folder that it does not see. A store that is away is none.
 */
export async function runObstacle(
  run: string,
  { storage, dataset }: Pick<RunConfiguration, 'storage' | 'dataset'>,
  limits: WorkerLimits,
  openStore: (configuration: RunConfiguration['storage']) => ObjectStore,
): Promise<string | null> {
  try {
    limits.checkStore(storage);
    checkPlace(dataset, limits);
    await openStore(storage).get(keys.runConfiguration(run), { signal: AbortSignal.timeout(storeTimeout) });
    return null;
  } catch (error) {
    const isOne =
      error instanceof ApplicationFailure ||
      (error instanceof Error && ['StoreAccessDenied', 'CredentialsExpired', 'StoreUnsuitable'].includes(error.name));
    return isOne ? error.message : null;
  }
}
