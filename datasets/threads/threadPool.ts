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

export type ThreadAnswer<Result, Word> =
  /** Of no task. */
  | { readonly word: Word }
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: ThreadError };

/** Thrown for what went wrong in a thread, with the name of the error there. */
export class ThreadFailed extends Error {
  override readonly name = 'ThreadFailed';
  constructor(
    readonly originalName: string,
    message: string,
    /** Of the error there. */
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

/** Threads of one module, which calls `serveThread`. A task goes to the thread that has the fewest under way. */
export class ThreadPool<Task, Result, Word = never> {
  private readonly threads: readonly Thread<Result>[];
  private next = 0;

  /** @param onWord is told what threads say of no task. */
  constructor(module: URL, workerData: unknown, threads: number, onWord: (word: Word) => void = () => undefined) {
    this.threads = Array.from({ length: threads }, () => startThread(new Worker(module, { workerData }), onWord));
  }

  /** @throws ThreadFailed */
  run(task: Task): Promise<Result> {
    const thread = this.threads.reduce((least, other) => (other.pending.size < least.pending.size ? other : least));
    if (thread.ended !== null) return Promise.reject(thread.ended);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
      thread.worker.postMessage({ id, task } satisfies ThreadRequest<Task>);
    });
  }

  /** Ends the threads; what is under way fails. */
  async close(): Promise<void> {
    for (const thread of this.threads) thread.ended ??= new ThreadFailed('Closed', 'the threads have been ended');
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }
}

function startThread<Result, Word>(worker: Worker, onWord: (word: Word) => void): Thread<Result> {
  const pending = new Map<number, Pending<Result>>();
  const thread: Thread<Result> = { worker, pending, ended: null };
  worker.on('message', (answer: ThreadAnswer<Result, Word>) => {
    if ('word' in answer) {
      onWord(answer.word);
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
  const fail = (error: Error): void => {
    thread.ended ??= error;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new ThreadFailed('Closed', 'the thread has ended')));
  return thread;
}
