import { Worker } from 'node:worker_threads';
import { FrameUnreadable } from '../reader/errors.js';
import type { Batch } from '../types.js';
import type { LoaderAnswer, LoaderRequest, LoaderSettings, LoaderTask } from './settings.js';

interface Pending {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  bytesRead: number;
}

/** Thrown for what went wrong in a loader thread, with the name of the error there. */
export class LoaderFailed extends Error {
  override readonly name = 'LoaderFailed';
  constructor(
    readonly originalName: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Loader threads. What a task gives does not depend on their number, nor on which of them does it. */
export class LoaderPool {
  private readonly threads: Thread[];
  private next = 0;
  private closed = false;

  /** @param warn is told why batches are late. */
  constructor(
    settings: LoaderSettings,
    private readonly warn: (message: string) => void,
  ) {
    this.threads = Array.from({ length: settings.threads }, () => this.startThread(settings));
  }

  /** Bytes that came over the network for all tasks so far. */
  get bytesRead(): number {
    return this.threads.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  /** @throws FrameUnreadable, LoaderFailed */
  run(task: LoaderTask): Promise<Batch> {
    if (this.closed) return Promise.reject(new Error('the loader is closed'));
    const thread = this.threads.reduce((least, other) => (other.pending.size < least.pending.size ? other : least));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
      thread.worker.postMessage({ id, task } satisfies LoaderRequest);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private startThread(settings: LoaderSettings): Thread {
    const worker = new Worker(new URL('./loaderThread.js', import.meta.url), { workerData: settings });
    const thread: Thread = { worker, pending: new Map(), bytesRead: 0 };
    worker.on('message', (answer: LoaderAnswer) => {
      if ('warning' in answer) {
        this.warn(answer.warning);
        return;
      }
      const waiting = thread.pending.get(answer.id);
      thread.pending.delete(answer.id);
      if ('batch' in answer) {
        thread.bytesRead = answer.bytesRead;
        waiting?.resolve(answer.batch);
        return;
      }
      const { name, message, stack, frame } = answer.error;
      const cause = new Error(stack ?? message);
      const reason = message.replace(/^Frame \S+ cannot be read: /, '');
      waiting?.reject(
        frame ? new FrameUnreadable(frame, reason, { cause }) : new LoaderFailed(name, message, { cause }),
      );
    });
    const fail = (error: Error): void => {
      for (const { reject } of thread.pending.values()) reject(error);
      thread.pending.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new LoaderFailed('Closed', 'the loader thread has ended')));
    return thread;
  }
}
