import { setTimeout as sleep } from 'node:timers/promises';
import { ChecksumMismatch, ContentDamaged, InvalidKey, StoreAccessDenied, StoreUnsuitable } from './types.js';

export interface PersistentlyOptions {
  /** For the warning that every failure gives. */
  readonly what: string;
  readonly warn: (message: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Whether no waiting would mend a failure. */
  readonly isFinal?: (cause: unknown) => boolean;
  /** Milliseconds between two attempts, doubled each time, up to the longest. */
  readonly firstPause?: number;
  readonly longestPause?: number;
}

const final = [StoreAccessDenied, StoreUnsuitable, ChecksumMismatch, ContentDamaged, InvalidKey];

/** What waiting does not mend, of the failures of a store. */
export function isFinalForStore(cause: unknown): boolean {
  return final.some((kind) => cause instanceof kind);
}

/**
 * Tries again, for as long as it takes, what fails because a service is away.
 *
 * @throws the failure itself where no waiting would mend it, or once `signal` is aborted.
 */
export async function persistently<T>(work: () => Promise<T>, options: PersistentlyOptions): Promise<T> {
  const { what, warn, signal, isFinal = isFinalForStore, firstPause = 1_000, longestPause = 30_000 } = options;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    try {
      return await work();
    } catch (cause) {
      if (signal?.aborted || isFinal(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      warn(`${what} failed, and is tried again in ${pause / 1000} s: ${reason}`);
      await sleep(pause, undefined, signal && { signal });
    }
  }
}
