import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer, ThreadError, ThreadRequest } from './threadPool.js';

/**
 * Does what a `ThreadPool` asks of this thread, several tasks at a time where the work waits for something. In the main
 * thread, nothing.
 *
 * @param start is called once, with how to send what belongs to no task; gives what does a task.
 * @param transferred memory of a result that goes over to the other thread.
 */
export function serveThread<Task, Result, Note = never>(
  start: (say: (note: Note) => void) => (task: Task) => Promise<Result>,
  transferred: (result: Result) => readonly ArrayBuffer[] = () => [],
): void {
  if (!parentPort) return;
  const port = parentPort;
  const post = (answer: ThreadAnswer<Result, Note>, memory: readonly ArrayBuffer[] = []): void =>
    port.postMessage(answer, memory);
  const work = start((note) => post({ note }));
  const answer = async ({ id, task }: ThreadRequest<Task>): Promise<void> => {
    try {
      const result = await work(task);
      post({ id, result }, transferred(result));
    } catch (cause) {
      post({ id, error: described(cause) });
    }
  };
  port.on('message', (request: ThreadRequest<Task>) => void answer(request));
}

function described(cause: unknown): ThreadError {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { name, message, stack } = error;
  const plain = Object.entries(error).filter(([, value]) => !(value instanceof Error || typeof value === 'function'));
  return { name, message, stack, fields: Object.fromEntries(plain) };
}
