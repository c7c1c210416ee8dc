import { noCounts, sumOfCounts } from '../cache/counts.js';
import { FrameUnreadable } from '../reader/errors.js';
import { ThreadFailed, ThreadPool } from '../threads/threadPool.js';
import type { Batch, FrameId } from '../types.js';
import type { LoaderResult, LoaderSettings, LoaderTask } from './settings.js';

/** Loader threads. What a task gives does not depend on their number, nor on which of them does it. */
export class LoaderPool {
  private readonly pool: ThreadPool<LoaderTask, LoaderResult, string>;
  /** What the caches of all threads did so far. */
  cache = noCounts;

  /** @param warn is called with why batches are late. */
  constructor(settings: LoaderSettings, warn: (message: string) => void) {
    this.pool = new ThreadPool(new URL('./loaderThread.js', import.meta.url), settings, settings.threads, {
      onNote: warn,
    });
  }

  /** @throws FrameUnreadable, ThreadFailed */
  async run(task: LoaderTask): Promise<Batch> {
    try {
      const { batch, cache } = await this.pool.run(task);
      this.cache = sumOfCounts(this.cache, cache);
      return batch;
    } catch (error) {
      if (!(error instanceof ThreadFailed) || error.originalName !== 'FrameUnreadable') throw error;
      const { frame, reason } = error.fields as { frame: FrameId; reason: string };
      throw new FrameUnreadable(frame, reason, { cause: error.cause });
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
