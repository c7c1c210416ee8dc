import { overtimeExitCode } from '../activities/overtime.js';
import { outliveReaders } from './lifecycle/lostReaders.js';

/** What a trainer and a predictor have in common as child processes of a GPU worker. */

interface Stop {
  readonly kind: 'stop';
  readonly reason: string;
}

export interface Work<Start extends { readonly kind: string }, Event> {
  readonly isStart: (message: { readonly kind: string }) => message is Start;
  /** Does the work, and tells its end by its last event. */
  readonly run: (start: Start, report: (event: Event) => void, signal: AbortSignal) => Promise<void>;
  /** Seconds that it has to end in, once the parent is gone or it was told to stop. */
  readonly graceSeconds: (start: Start) => number;
}

/**
 * Runs the work that the parent sends, once, and exits. Told to stop (by message or signal), or when the
 * parent's end of the channel closes, the work is asked to end; what does not end in its grace is ended: nothing keeps
 * this process alive after its parent.
 */
export function serveParent<Start extends { readonly kind: string }, Event>(work: Work<Start, Event>): void {
  outliveReaders();
  const stopping = new AbortController();
  let started: Start | null = null;

  const stop = (reason: string): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(reason);
    if (!started) process.exit(0);
    const overtime = 5;
    setTimeout(() => process.exit(overtimeExitCode), (work.graceSeconds(started) + overtime) * 1000).unref();
  };
  let told: Promise<void> = Promise.resolve();
  const report = (event: Event): void => {
    if (!process.connected) return;
    // A send that fails means that the parent is gone, which is told by `disconnect`.
    told = new Promise((done) => process.send?.(event, undefined, undefined, () => done()));
  };
  const leave = async (code: number): Promise<void> => {
    setTimeout(() => process.exit(code), 2000);
    await told;
    process.exit(code);
  };

  process.on('message', (message: Start | Stop) => {
    if (!work.isStart(message)) {
      if (message.kind === 'stop') stop(message.reason);
      return;
    }
    if (started) return;
    started = message;
    void work.run(started, report, stopping.signal).then(
      () => leave(0),
      (cause: unknown) => {
        console.error(cause);
        return leave(1);
      },
    );
  });
  process.on('disconnect', () => stop('the worker is gone'));
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop(name));
}
