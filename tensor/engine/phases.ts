import { isRecordingFunction } from '../functions/interception.js';
import { isRecomputing } from '../gradients/recording.js';

/**
 * Where a network's time goes, for measurements (bench/): parts of a forward pass are named, and multiplications are
 * counted. Without an observer it costs a comparison.
 */
export type PhaseName = 'load' | 'feature net' | 'sampling' | 'localiser' | 'V2V' | 'head' | 'forward' | 'backward';

type Observer = (name: PhaseName, edge: 'begin' | 'end') => void;

let observer: Observer | null = null;

/** Sets what is called at the beginning and the end of each part; null: nothing. Parts are not nested. */
export function observePhases(told: Observer | null): void {
  observer = told;
}

/**
 * Runs a named part. A part that is computed again in the backward pass is not reported: it belongs to that pass. Nor is one of
 * a function that is being recorded.
 */
export function inPhase<A>(name: PhaseName, f: () => A): A {
  if (observer === null || isRecomputing() || isRecordingFunction()) return f();
  observer(name, 'begin');
  try {
    return f();
  } finally {
    observer?.(name, 'end');
  }
}

/** {@link inPhase} of what goes on beside JavaScript: until its promise is settled. */
export async function inPhaseOfPromise<A>(name: PhaseName, f: () => Promise<A>): Promise<A> {
  observer?.(name, 'begin');
  try {
    return await f();
  } finally {
    observer?.(name, 'end');
  }
}

let operations = 0;

/**
 * Counts multiplications and additions of convolutions and matrix products: those of the definition, whichever
 * algorithm is used. What is computed again in a backward pass is not counted.
 */
export function countOperations(count: number): void {
  if (!isRecomputing()) operations += count;
}

/** All that was counted so far. */
export function countedOperations(): number {
  return operations;
}
