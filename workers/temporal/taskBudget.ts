import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, WorkerOptions } from '@temporalio/worker';

/** When a worker ends by itself. */
export interface TaskLimits {
  /** Tasks that it takes altogether. */
  readonly tasks?: number | undefined;
  /** Seconds without a task. */
  readonly idleSeconds?: number | undefined;
}

/** Why a worker ends by itself: what it was to do is done. */
export class WorkerOver extends Error {
  override readonly name = 'WorkerOver';
}

interface Permit extends SlotPermit {
  isUsed: boolean;
}

/**
 * Shares the devices of a process out among its task queues: so many tasks at once and so many in all, whichever queue
 * they come from. A queue is asked for a task only while a device is free. Two queues that are asked at once may both
 * answer: what is then too much is given back (`begin`).
 */
export class TaskBudget {
  /** Tasks that were handed over, those among them that are to be given back. */
  #accepted = 0;
  #working = 0;
  #taken = 0;
  #busyUntil = performance.now();
  #waiting: (() => void)[] = [];
  /** Why no task is asked for; null where they are. */
  #paused: string | null = null;

  constructor(
    private atOnce: number,
    private readonly limits: TaskLimits,
  ) {}

  /** For the definition of the worker of one queue, in place of a number of activities. */
  tuner(): NonNullable<WorkerOptions['tuner']> {
    const fixed = { type: 'fixed-size', numSlots: 1 } as const;
    return {
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
      localActivityTaskSlotSupplier: fixed,
      nexusTaskSlotSupplier: fixed,
      activityTaskSlotSupplier: this.supplier(),
    };
  }

  /** No task is asked for from now on; what was asked for is given back. */
  pause(reason: string): void {
    this.#paused = reason;
  }

  /** The end of `pause`. */
  resume(): void {
    this.#paused = null;
    this.#wake();
  }

  /** Why tasks are given back. */
  get paused(): string | null {
    return this.#paused;
  }

  /** There are more devices, or fewer: what runs goes on. */
  setAtOnce(devices: number): void {
    this.atOnce = devices;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /**
   * Begins a task that was handed over.
   *
   * @returns how to end it; null where it is paused, all devices are at work, or all tasks done that were to be.
   */
  begin(): (() => void) | null {
    const { tasks = Infinity } = this.limits;
    if (this.#paused !== null || this.#working >= this.atOnce || this.#taken >= tasks) return null;
    this.#working++;
    this.#taken++;
    return () => {
      this.#working--;
      this.#busyUntil = performance.now();
    };
  }

  /** Aborts with the reason when no further task is to come. @param signal ends the watching. */
  async watch(over: AbortController, signal: AbortSignal): Promise<void> {
    const { tasks, idleSeconds = Infinity } = this.limits;
    this.#busyUntil = performance.now();
    while (!signal.aborted) {
      if (this.#taken === tasks && this.#working === 0) {
        return over.abort(new WorkerOver(`done with its ${tasks === 1 ? 'task' : `${tasks} tasks`}`));
      }
      const idle = (performance.now() - this.#busyUntil) / 1000;
      if (this.#working === 0 && idle >= idleSeconds) {
        return over.abort(new WorkerOver(`without a task for ${Math.round(idle)} s`));
      }
      await sleep(100, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private supplier(): CustomSlotSupplier<ActivitySlotInfo> {
    // How many tasks this queue is being asked for.
    let asked = 0;
    const take = (): Permit | null => {
      const left = (this.limits.tasks ?? Infinity) - this.#taken;
      if (this.#paused !== null || this.#accepted + asked >= this.atOnce || asked >= left) return null;
      asked++;
      return { isUsed: false };
    };
    return {
      type: 'custom',
      reserveSlot: async (_context, signal) => {
        for (let permit = take(); ; permit = take()) {
          if (permit !== null) return permit;
          await new Promise<void>((resolve, reject) => {
            const stopped = (): void => reject(signal.reason as Error);
            if (signal.aborted) return stopped();
            signal.addEventListener('abort', stopped, { once: true });
            this.#waiting.push(() => {
              signal.removeEventListener('abort', stopped);
              resolve();
            });
          });
        }
      },
      tryReserveSlot: () => take(),
      markSlotUsed: ({ permit }) => {
        (permit as Permit).isUsed = true;
        asked--;
        this.#accepted++;
      },
      releaseSlot: ({ permit }) => {
        if ((permit as Permit).isUsed) this.#accepted--;
        else asked--;
        this.#wake();
      },
    };
  }
}
