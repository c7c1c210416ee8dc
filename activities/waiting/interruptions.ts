import type { Interruptions } from '../types.js';

/** What a heartbeat counts of the attempts before; absent from those that did not count it. */
export interface CountedBefore {
  readonly preemptions?: number;
  readonly givenBack?: number;
}

/**
 * What the attempts before this one ended with: each that was neither stopped in an orderly way nor given back has failed.
 *
 * @param attempt from 1. An operator's reset of the activity sets it back; then failures before that are not known.
 */
export function interruptionsBefore(attempt: number, { preemptions = 0, givenBack = 0 }: CountedBefore): Interruptions {
  return { preemptions, failures: Math.max(0, attempt - 1 - preemptions - givenBack) };
}
