import { overtimeExitCode } from '../activities/processes/overtime.js';
import { outliveReaders } from './lifecycle/lostReaders.js';
import { ProcessLog } from './processLog.js';

/** What a trainer and a predictor have in common as child processes of a GPU worker. */

interface Stop {
  readonly kind: 'stop';
  readonly reason: string;
}

export interface Work<Start extends { readonly kind: string }, Event extends { readonly kind: string }> {
  readonly isStart: (message: { readonly kind: string }) => message is Start;
  /** Does the work, and reports its end by its last event. */
  readonly run: (start: Start, report: (event: Event) => void, signal: AbortSignal) => Promise<void>;
  /** The event that reports an infrastructure's fault. */
  readonly failed: (message: string) => Event;
  /** Seconds that it has to end in, once the parent is gone or it was told to stop. */
  readonly graceSeconds: (start: Start) => number;
}

/**
 * Runs the work that the parent sends, once, and exits. Told to stop (by message or signal), or when the
 * parent's end of the channel closes, the work is asked to end; what does not end in its grace is ended: nothing keeps
 * this process alive after its parent. An error that nobody waited for (an unhandled rejection, an uncaught exception) is
 * logged, and ends the work in order, too: it saves, and its end is reported as a failure.
 */
export function serveParent<Start extends { readonly kind: string }, Event extends { readonly kind: string }>(
  work: Work<Start, Event>,
): void {
  outliveReaders();
  const log = new ProcessLog();
  const stopping = new AbortController();
  let started: Start | null = null;
  let fault: string | null = null;

  const stop = (reason: string): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(reason);
    if (!started) process.exit(fault === null ? 0 : 1);
    const overtime = 5;
    setTimeout(() => process.exit(overtimeExitCode), (work.graceSeconds(started) + overtime) * 1000).unref();
  };
  let told: Promise<void> = Promise.resolve();
  const report = (event: Event): void => {
    log.event(event);
    if (!process.connected) return;
    // A send that fails means that the parent is gone, which `disconnect` reports.
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
    const tell = (event: Event): void =>
      report(fault !== null && event.kind === 'stopped' ? work.failed(`${fault} It stopped in order.`) : event);
    void work.run(started, tell, stopping.signal).then(
      () => leave(fault === null ? 0 : 1),
      (cause: unknown) => {
        log.error(cause, 'The work failed without saying why.');
        return leave(1);
      },
    );
  });
  const onFault = (cause: unknown): void => {
    log.error(cause, 'An unexpected error; the process stops in order.');
    fault ??= `An unexpected error: ${cause instanceof Error ? cause.message : String(cause)}.`;
    stop(fault);
  };
  for (const name of ['unhandledRejection', 'uncaughtException'] as const) process.on(name, onFault);
  process.on('disconnect', () => stop('the worker is gone'));
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop(name));
}
