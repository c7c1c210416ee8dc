import { CancelledFailure } from '@temporalio/workflow';
import type { Interruptions } from '../activities/types.js';
import type { StageProgress } from '../training/protocol.js';
import { rootFailure } from './failures.js';

export function addInterruptions(a: Interruptions | undefined, b: Interruptions | undefined): Interruptions {
  return {
    preemptions: (a?.preemptions ?? 0) + (b?.preemptions ?? 0),
    failures: (a?.failures ?? 0) + (b?.failures ?? 0),
  };
}

/** What an activity that was stopped for a pause says in its failure's details: how far it came, and after what. */
export function detailsOf(interruption: unknown): {
  readonly progress: StageProgress | undefined;
  readonly interruptions: Interruptions | undefined;
} {
  const root = rootFailure(interruption);
  const details: readonly unknown[] = root instanceof CancelledFailure ? root.details : [];
  // Values that the worker left out arrive as null.
  const [progress, interruptions] = details as readonly [StageProgress?, Interruptions?];
  return { progress: progress ?? undefined, interruptions: interruptions ?? undefined };
}
