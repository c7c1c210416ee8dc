import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The activities that run in this process, for a worker that has failed does not report them any more. */
export class RunningActivities {
  private readonly running = new Set<Promise<unknown>>();

  /** To be given to each worker. */
  readonly interceptor: ActivityInterceptorsFactory = () => ({
    inbound: {
      execute: (input, next) => {
        const work = next(input);
        this.running.add(work);
        const ended = (): void => void this.running.delete(work);
        work.then(ended, ended);
        return work;
      },
    },
  });

  /** Fulfilled when none runs. */
  async ended(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  get count(): number {
    return this.running.size;
  }
}
