import { ThreadPool } from '../../threads/threadPool.js';
import type { HashTask } from './hashThread.js';

/** SHA-256 of files, computed by a thread that reads them from the disk; it is started with the first one. */
export class FileHashes {
  private pool: ThreadPool<HashTask, string> | null = null;
  private begun = 0;

  constructor(private readonly signal?: AbortSignal) {}

  begin(file: string): GrowingHash {
    const id = this.begun++;
    return new GrowingHash((length) => this.hash({ id, file, length }));
  }

  async close(): Promise<void> {
    await this.pool?.close();
  }

  private async hash(task: HashTask): Promise<string> {
    this.pool ??= new ThreadPool(new URL('./hashThread.js', import.meta.url), null, 1, { signal: this.signal });
    return this.pool.run(task);
  }
}

/** SHA-256 of a file that grows: computed while it does. */
export class GrowingHash {
  constructor(private readonly hash: (length: number) => Promise<string>) {}

  /** So much of the file is written: the thread may go on. */
  extend(length: number): void {
    // Whoever asks for the hash gets the error.
    this.hash(length).catch(() => undefined);
  }

  /** @returns hex, of the file's first `length` bytes. @throws ThreadFailed for errors of the disk, or the signal's reason */
  digest(length: number): Promise<string> {
    return this.hash(length);
  }
}
