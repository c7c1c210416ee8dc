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
 * Hands out the slots in which a worker takes activities, so many at once and so many in all, and says when it is to end:
 * what asked for one more task would have to give it back.
 */
export class TaskBudget {
  #free: number;
  #left: number;
  #working = 0;
  #taken = 0;
  #busyUntil = performance.now();
  #waiting: (() => void)[] = [];

  constructor(
    atOnce: number,
    private readonly limits: TaskLimits,
  ) {
    this.#free = atOnce;
    this.#left = limits.tasks ?? Infinity;
  }

  /** For the worker's definition, in place of a number of activities. */
  get tuner(): NonNullable<WorkerOptions['tuner']> {
    const fixed = { type: 'fixed-size', numSlots: 1 } as const;
    return {
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
      localActivityTaskSlotSupplier: fixed,
      nexusTaskSlotSupplier: fixed,
      activityTaskSlotSupplier: this.#supplier,
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

  readonly #supplier: CustomSlotSupplier<ActivitySlotInfo> = {
    type: 'custom',
    reserveSlot: async (_context, signal) => {
      for (let permit = this.take(); ; permit = this.take()) {
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
    tryReserveSlot: () => this.take(),
    markSlotUsed: ({ permit }) => {
      (permit as Permit).isUsed = true;
      this.#working++;
      this.#taken++;
    },
    releaseSlot: ({ permit }) => {
      this.#free++;
      if ((permit as Permit).isUsed) {
        this.#working--;
        this.#busyUntil = performance.now();
      } else this.#left++;
      for (const wake of this.#waiting.splice(0)) wake();
    },
  };

  private take(): Permit | null {
    if (this.#free === 0 || this.#left === 0) return null;
    this.#free--;
    this.#left--;
    return { isUsed: false };
  }
}
