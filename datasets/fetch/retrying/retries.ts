import { describeFailure, isCertificateFailure, slowestRate, wait, waitingTime, type BackOff } from './backOff.js';
import { HostUnavailable, HostUntrusted } from '../errors.js';
import { ConnectionFailed } from '../host/httpAnswer.js';

/** An answer that is no file now, but may be one later. */
export class Passing extends Error {
  constructor(
    message: string,
    /** ms that the host asks to wait. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** What comes is so little that it is no progress. */
class Dripping extends Passing {}

export interface RetryOptions {
  readonly host: string;
  readonly path: string;
  readonly backOff: BackOff;
  readonly onWait: (reason: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Tries until it succeeds, with pauses; only failures of the network and passing ones of the host are tried again.
 *
 * @param position what has been reached: failures are counted from the last time that it moved.
 * @throws HostUnavailable when too many failures came in a row, HostUntrusted.
 */
export async function withRetries<Result>(
  { host, path, backOff, onWait, signal }: RetryOptions,
  attempt: () => Promise<Result>,
  position: () => number = () => 0,
): Promise<Result> {
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const before = position();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (isCertificateFailure(error)) {
        throw new HostUntrusted(
          `${host} cannot be trusted: ${describeFailure(error)}. Nothing was sent to it. Correct the address ` +
            '(dataset.source.host, --host); behind a proxy that opens TLS, name its authority by NODE_EXTRA_CA_CERTS=FILE.',
          { cause: error },
        );
      }
      if (!isPassing(error)) throw error;
      failures = position() > before && !(error instanceof Dripping) ? 1 : failures + 1;
      const reason = describeFailure(error);
      if (failures >= backOff.attempts) {
        throw new HostUnavailable(`${host} did not send ${path}, ${failures} times in a row; at last: ${reason}.`, {
          cause: error,
        });
      }
      const pause = waitingTime(backOff, failures, error instanceof Passing ? error.retryAfter : null);
      await wait(pause, () => onWait(reason), signal);
    }
  }
}

/**
 * Gives up a request whose host falls silent, or sends so slowly that it would never end.
 *
 * @param work reports the bytes that come.
 */
export async function unlessStalled<Result>(
  { stall: seconds, slowest = slowestRate }: BackOff,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, alive: (bytes: number) => void) => Promise<Result>,
): Promise<Result> {
  const stalled = new AbortController();
  const silence = new Passing(`nothing came for ${seconds} s`);
  const timer = setTimeout(() => stalled.abort(silence), 1000 * seconds);
  let came = 0;
  const watch = setInterval(() => {
    if (came > 0 && came < slowest * seconds) stalled.abort(new Dripping(`only ${came} bytes came in ${seconds} s`));
    came = 0;
  }, 1000 * seconds);
  try {
    const signal = outer ? AbortSignal.any([outer, stalled.signal]) : stalled.signal;
    return await work(signal, (bytes) => {
      came += bytes;
      timer.refresh();
    });
  } catch (error) {
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
}

/** Failures of connections are; what the host said in so many words, and the disk's, are not. */
function isPassing(error: unknown): boolean {
  return error instanceof Passing || error instanceof ConnectionFailed;
}
