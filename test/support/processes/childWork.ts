import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A trainer or predictor process, as a GPU worker would start it. */
export interface ChildWork<Event extends { readonly kind: string }> {
  readonly process: ChildProcess;
  readonly events: readonly Event[];
  /** The first event that fits, past or to come; rejects if the process ends without one. */
  seen(fits: (event: Event) => boolean): Promise<Event>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** @param module below the build folder: `workers/trainer.js`. */
export function startChildWork<Event extends { readonly kind: string }>(
  module: string,
  start: object,
  environment: Readonly<Record<string, string>> = {},
): ChildWork<Event> {
  const path = fileURLToPath(new URL(`../../../${module}`, import.meta.url));
  const child = fork(path, [], {
    detached: true,
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', TF_NUM_INTRAOP_THREADS: '1', ...environment },
  });
  let output = '';
  const keep = (chunk: Buffer): void => void (output += String(chunk));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  child.on('message', (message) => {
    events.push(message as Event);
    for (const look of waiting) look();
  });
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => (code ?? signal) as number | NodeJS.Signals);
  // The test's process must not outlive its children's failure.
  process.once('exit', () => child.kill('SIGKILL'));
  child.send(start, () => undefined);
  return {
    process: child,
    events,
    ended,
    seen: (fits) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then((how) => {
          const told = events.filter(({ kind }) => kind !== 'progress');
          reject(
            new Error(`The process ended (${how}) without it. It told ${JSON.stringify(told)} and printed ${output}`),
          );
        });
      }),
  };
}
