import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { within } from '../lifecycle/within.js';
import { RunningActivities } from './runningActivities.js';
import { workerFailure } from './runtime.js';
import { spreadRetries } from './spreadRetries.js';
import { aborted } from '../../storage/async/aborted.js';

/** How often it is looked whether a worker has failed, milliseconds. */
const lookInterval = 250;
/** Seconds for a worker that has just been made, and has done nothing. */
const discardSeconds = 5;

/** Thrown when a worker of this process cannot go on, or does not stop: the message says which one and why. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}

/** The workers of one process: they are made together, and end together. */
export class WorkerGroup {
  private constructor(
    private readonly workers: readonly Worker[],
    private readonly activities: RunningActivities,
  ) {}

  /** @throws what `Worker.create` throws; none of the others is left then. */
  static async create(
    connection: NativeConnection,
    definitions: readonly (WorkerOptions & { taskQueue: string })[],
  ): Promise<WorkerGroup> {
    const activities = new RunningActivities();
    const made = await Promise.allSettled(
      definitions.map((definition) => {
        const own = definition.interceptors?.activity ?? [];
        const interceptors = { activity: [activities.interceptor, spreadRetries, ...own] };
        return Worker.create({ ...definition, connection, interceptors });
      }),
    );
    const workers = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = made.find((one) => one.status === 'rejected');
    if (failed === undefined) return new WorkerGroup(workers, activities);
    await Promise.all(workers.map(discard));
    throw failed.reason;
  }

  /** Lets all workers go on by another connection. */
  useConnection(connection: NativeConnection): void {
    for (const worker of this.workers) if (isAtWork(worker)) worker.connection = connection;
  }

  /**
   * Runs until told to stop, or until one of the workers fails; then all stop.
   *
   * @param stop called where a worker has failed: must abort `signal`, by which activities end.
   * @param endSeconds that the end may take.
   * @throws WorkerFailed where one has failed, or not all has ended in time.
   */
  async run(signal: AbortSignal, stop: (why: string) => void, endSeconds: number): Promise<void> {
    const ends = this.workers.map((worker) => endOf(worker));
    const first = await Promise.race([aborted(signal), ...ends]);
    if (first) stop(first.message);
    for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    const ended = Promise.all([...ends, this.activities.ended()]).then((all) =>
      all.find((end) => end instanceof Error),
    );
    const result = await within(ended, endSeconds, 'late');
    if (first) throw first;
    if (result instanceof WorkerFailed) throw result;
    if (result !== 'late') return;
    const queues = this.workers.filter((worker) => isAtWork(worker)).map((worker) => worker.options.taskQueue);
    const what = `${this.activities.count} activities and the workers of ${queues.join(', ') || 'no queue'}`;
    throw new WorkerFailed(`Not stopped within ${endSeconds} s: ${what} are abandoned.`);
  }
}

function isAtWork(worker: Worker): boolean {
  return worker.getState() !== 'STOPPED' && worker.getState() !== 'FAILED';
}

/** Fulfilled when a worker has ended: with why it failed, or null. Looks at its state, for `run` may never return. */
async function endOf(worker: Worker): Promise<WorkerFailed | null> {
  const { taskQueue } = worker.options;
  const failed = (told: unknown): WorkerFailed => {
    // What `run` throws may be what its clean-up met, later.
    const cause = workerFailure(taskQueue) ?? told;
    const why = cause instanceof Error ? cause.message : 'see the log above';
    return new WorkerFailed(`The worker of ${taskQueue} failed: ${why}`, { cause });
  };
  let clock: NodeJS.Timeout | undefined;
  const seen = new Promise<WorkerFailed>((resolve) => {
    let looks = 0;
    const look = (): void => {
      if (worker.getState() !== 'FAILED') return;
      // The SDK's log, which has the reason, comes a little later.
      if (workerFailure(taskQueue) !== null || ++looks > 4) resolve(failed(null));
    };
    clock = setInterval(look, lookInterval);
  });
  const run = worker.run().then(() => null, failed);
  try {
    return await Promise.race([run, seen]);
  } finally {
    clearInterval(clock);
  }
}

/** A worker that was made holds the connection until it has run. */
async function discard(worker: Worker): Promise<void> {
  const run = worker.run();
  worker.shutdown();
  await within(
    run.catch(() => undefined),
    discardSeconds,
    undefined,
  );
}
