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
  /** Memory of images that nobody needs any more. */
  private readonly spare: ArrayBuffer[] = [];

  /** @param warn is called with why batches are late. */
  constructor(settings: LoaderSettings, warn: (message: string) => void) {
    this.pool = new ThreadPool(new URL('./loaderThread.js', import.meta.url), settings, settings.threads, {
      onNote: warn,
    });
  }

  /** @throws FrameUnreadable, ThreadFailed */
  async run(task: LoaderTask): Promise<Batch> {
    try {
      const memory = this.spare.pop();
      const { batch, cache } = await (memory === undefined
        ? this.pool.run(task)
        : this.pool.run({ ...task, memory }, [memory]));
      this.cache = sumOfCounts(this.cache, cache);
      return batch;
    } catch (error) {
      if (!(error instanceof ThreadFailed) || error.originalName !== 'FrameUnreadable') throw error;
      const { frame, reason } = error.fields as { frame: FrameId; reason: string };
      throw new FrameUnreadable(frame, reason, { cause: error.cause });
    }
  }

  /**
   * Takes a batch's images back: later ones are written over them. V8 would otherwise mark all that a process has each
   * time that 64 MB of them were let go.
   */
  reuse({ images: { buffer } }: Batch): void {
    // Of what went over to a thread before, nothing is left.
    const isThere = buffer instanceof ArrayBuffer && buffer.byteLength > 0;
    if (isThere && !this.spare.includes(buffer)) this.spare.push(buffer);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
