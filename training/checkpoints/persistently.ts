import { setTimeout as sleep } from 'node:timers/promises';
import { ChecksumMismatch, InvalidKey, StoreAccessDenied, StoreUnsuitable } from '../../storage/types.js';
import { LeaseLost } from './errors.js';

const firstPause = 1_000;
const longestPause = 30_000;

/** What no waiting mends. */
const final = [LeaseLost, StoreAccessDenied, StoreUnsuitable, ChecksumMismatch, InvalidKey];

/**
 * Tries again, for as long as it takes, what fails because a service is away: training goes on meanwhile, and nothing
 * is lost by waiting.
 *
 * @param what - for the warning that every failure gives.
 * @throws the failure itself where no waiting would mend it, or once `signal` is aborted.
 */
export async function persistently<T>(
  what: string,
  work: () => Promise<T>,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<T> {
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    try {
      return await work();
    } catch (cause) {
      if (signal.aborted || final.some((kind) => cause instanceof kind)) throw cause;
      warn(
        `${what} failed, and is tried again in ${pause / 1000} s: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
      await sleep(pause, undefined, { signal });
    }
  }
}
