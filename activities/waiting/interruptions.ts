import type { Interruptions } from '../types.js';

/**
 * What the attempts before this one ended with: each that was not stopped in an orderly way has failed.
 *
 * @param attempt from 1. An operator's reset of the activity sets it back; then failures before that are not known.
 */
export function interruptionsBefore(attempt: number, preemptions: number): Interruptions {
  return { preemptions, failures: Math.max(0, attempt - 1 - preemptions) };
}
