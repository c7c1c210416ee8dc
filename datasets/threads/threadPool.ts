import { Worker } from 'node:worker_threads';

export interface ThreadRequest<Task> {
  readonly id: number;
  readonly task: Task;
}

/** What is left of an error on its way out of a thread: no class, but all that it says of itself (`code`, `frame`, …). */
export interface ThreadError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type ThreadAnswer<Result, Note> =
  /** A message that belongs to no task. */
  | { readonly note: Note }
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: ThreadError };

/** Thrown for what went wrong in a thread, with the name of the error there. */
export class ThreadFailed extends Error {
  override readonly name = 'ThreadFailed';
  constructor(
    readonly originalName: string,
    message: string,
    /** Fields of the error there. */
    readonly fields: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Pending<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

interface Thread<Result> {
  readonly worker: Worker;
  readonly pending: Map<number, Pending<Result>>;
  /** Why it does nothing any more. */
  ended: Error | null;
}

export interface ThreadPoolOptions<Note> {
  /** Called with what threads send that belongs to no task. */
  readonly onNote?: (note: Note) => void;
  /** Ends the threads: what is under way, and what is asked for later, fails with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Threads of one module, which calls `serveThread`. A task goes to the thread that has the fewest under way. */
export class ThreadPool<Task, Result, Note = never> {
  private readonly threads: readonly Thread<Result>[];
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => void this.end(this.signal?.reason as Error);
  private next = 0;

  /** @throws the signal's reason, if it was aborted before */
  constructor(module: URL, workerData: unknown, threads: number, options: ThreadPoolOptions<Note> = {}) {
    const { onNote = () => undefined, signal } = options;
    signal?.throwIfAborted();
    this.threads = Array.from({ length: threads }, () => startThread(new Worker(module, { workerData }), onNote));
    this.signal = signal;
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /**
   * @param transferred memory of the task that goes over to the thread.
   * @throws ThreadFailed, or the signal's reason
   */
  run(task: Task, transferred: readonly ArrayBuffer[] = []): Promise<Result> {
    const thread = this.threads.reduce((least, other) => (other.pending.size < least.pending.size ? other : least));
    if (thread.ended !== null) return Promise.reject(thread.ended);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
      thread.worker.postMessage({ id, task } satisfies ThreadRequest<Task>, transferred);
    });
  }

  /** Ends the threads; what is under way fails. */
  async close(): Promise<void> {
    this.signal?.removeEventListener('abort', this.onAbort);
    await this.end(new ThreadFailed('Closed', 'the threads have been ended'));
  }

  private async end(why: Error): Promise<void> {
    for (const thread of this.threads) fail(thread, why);
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }
}

function startThread<Result, Note>(worker: Worker, onNote: (note: Note) => void): Thread<Result> {
  const pending = new Map<number, Pending<Result>>();
  const thread: Thread<Result> = { worker, pending, ended: null };
  worker.on('message', (answer: ThreadAnswer<Result, Note>) => {
    if ('note' in answer) {
      onNote(answer.note);
      return;
    }
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if ('result' in answer) {
      waiting?.resolve(answer.result);
      return;
    }
    const { name, message, stack, fields } = answer.error;
    waiting?.reject(new ThreadFailed(name, message, fields, { cause: new Error(stack ?? message) }));
  });
  worker.on('error', (error) => fail(thread, error));
  worker.on('exit', () => fail(thread, new ThreadFailed('Closed', 'the thread has ended')));
  return thread;
}

function fail<Result>(thread: Thread<Result>, error: Error): void {
  thread.ended ??= error;
  for (const { reject } of thread.pending.values()) reject(thread.ended);
  thread.pending.clear();
}
