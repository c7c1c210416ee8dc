import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import type { Device, DevicePool } from '../../activities/devices.js';
import type { Fitness, Obstacle } from '../../activities/fitness.js';
import { askingFor } from '../../client/pollers.js';
import type { TaskBudget } from '../temporal/taskBudget.js';
import { workerName } from '../../activities/workerName.js';

/** Between two looks whether an obstacle is gone, milliseconds. */
const firstPause = 2_000;
const longestPause = 30_000;
/** A poll is renewed every minute: whoever asked within this is there, unless it is known to have ended. */
const askedWithin = 75_000;

export interface FitnessOptions {
  readonly budget: TaskBudget;
  readonly devices?: DevicePool;
  /** Computes something on a device. @returns why it cannot; null where it can. */
  readonly tryDevice: (device: Device) => Promise<string | null>;
  /** The client of the connection that is in use. */
  readonly client: () => Client;
  readonly logger: Logger;
  /** Called with why it takes no tasks; with null when it takes them again. */
  readonly onChange: (reason: string | null) => void;
  /** The worker is told to stop. */
  readonly stopping: AbortSignal;
}

/** Takes a worker out while something of its own keeps it from working, so that its tasks go to others. */
export class WorkerFitness implements Fitness {
  private readonly out = new Set<object>();

  constructor(private readonly options: FitnessOptions) {}

  takeOut(reason: string, obstacle: Obstacle): void {
    const { budget, logger, onChange } = this.options;
    logger.error(`This worker takes no tasks: ${reason}`);
    const one = {};
    this.out.add(one);
    budget.pause(reason);
    onChange(reason);
    void this.untilGone(obstacle).then(() => {
      this.out.delete(one);
      if (this.out.size > 0 || this.options.stopping.aborted) return;
      logger.info('This worker takes tasks again.');
      budget.resume();
      onChange(null);
    });
  }

  async hasOthers(except: readonly string[]): Promise<boolean> {
    const { taskQueue } = Context.current().info;
    const own = workerName();
    try {
      const { asking, ofOtherBuilds } = await askingFor(this.options.client(), taskQueue, askedWithin);
      return [...asking, ...ofOtherBuilds].some((identity) => {
        const name = /@(\S+:\d+)/.exec(identity)?.[1] ?? identity;
        return name !== own && !except.includes(name) && !hasEnded(name);
      });
    } catch (error) {
      this.options.logger.warn(`Which workers there are Temporal does not say: ${(error as Error).message}`);
      return false;
    }
  }

  async deviceProblem(device: Device): Promise<string | null> {
    const { devices, budget, tryDevice } = this.options;
    const problem = await tryDevice(device);
    if (problem === null || devices === undefined) return problem;
    // The others go on.
    devices.retire(device);
    const obstacle = (): Promise<string | null> => tryDevice(device);
    if (devices.usable === 0) {
      this.takeOut(problem, async () => {
        const still = await obstacle();
        if (still === null) devices.restore(device);
        return still;
      });
      return problem;
    }
    this.options.logger.error(`${problem}. Nothing is computed on it until it is well.`);
    budget.setAtOnce(devices.usable);
    void this.untilGone(obstacle).then(() => {
      devices.restore(device);
      budget.setAtOnce(devices.usable);
    });
    return problem;
  }

  private async untilGone(obstacle: Obstacle): Promise<void> {
    const { stopping } = this.options;
    for (let pause = firstPause; !stopping.aborted; pause = Math.min(2 * pause, longestPause)) {
      await sleep(pause, undefined, { signal: stopping, ref: false }).catch(() => undefined);
      if (!stopping.aborted && (await obstacle().catch(String)) === null) return;
    }
  }
}

/** Of a process of this machine: Temporal knows it for minutes more. */
function hasEnded(name: string): boolean {
  const [, host, pid] = /^(.*):(\d+)$/.exec(name) ?? [];
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
