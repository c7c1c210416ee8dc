import { setTimeout as sleep } from 'node:timers/promises';
import { ChecksumMismatch, ContentDamaged, InvalidKey, StoreAccessDenied, StoreUnsuitable } from '../types.js';

export interface PersistentlyOptions {
  /** Human-readable: `Saving the checkpoint of step 20`. */
  readonly what: string;
  /** Called for every failure, and again and again while an answer or the next attempt is waited for. */
  readonly warn: (message: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Whether waiting would not help. */
  readonly isFinal?: (cause: unknown) => boolean;
  /** Milliseconds between two attempts, doubled each time, up to the longest. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  /** Milliseconds of silence after which it reports what it waits for, lest its supervisor take it for dead. */
  readonly patience?: number;
}

const final = [StoreAccessDenied, StoreUnsuitable, ChecksumMismatch, ContentDamaged, InvalidKey];

/** Failures of a store that waiting does not cure. */
export function isFinalForStore(cause: unknown): boolean {
  return [...final, ...faults].some((kind) => cause instanceof kind);
}

/** A fault of the program is no outage. */
const faults = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * A pause of between a half and the whole of `milliseconds`: what many workers do again after an outage that they all
 * noticed at the same moment would else come to the service at the same moments, too.
 */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}

/**
 * Tries again, for as long as it takes, what fails because a service is away.
 *
 * Not by p-retry (7.1 and 9.0): once a signal is aborted it throws away what the work had come to, so that a checkpoint saved
 * at the last moment would count as lost; and its longest pause has no jitter.
 *
 * @throws the failure itself where waiting would not help, or once `signal` is aborted.
 */
export async function persistently<T>(work: () => Promise<T>, options: PersistentlyOptions): Promise<T> {
  const { what, warn, signal, isFinal = isFinalForStore, patience = 5_000 } = options;
  const { firstPause = 1_000, longestPause = 10_000 } = options;
  const began = performance.now();
  let reason = 'there is no answer';
  const watch = setInterval(() => {
    warn(`${what} has waited for ${Math.round((performance.now() - began) / 1000)} s: ${reason}`);
  }, patience);
  try {
    for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
      try {
        return await work();
      } catch (cause) {
        if (signal?.aborted || isFinal(cause)) throw cause;
        reason = cause instanceof Error ? cause.message : String(cause);
        // The longest that it takes.
        warn(`${what} failed, and is tried again in ${pause / 1000} s: ${reason}`);
        watch.refresh();
        await sleep(jittered(pause), undefined, signal && { signal });
      }
    }
  } finally {
    clearInterval(watch);
  }
}
