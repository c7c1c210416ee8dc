import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/workflow';
import type { Interruptions } from '../../activities/types.js';
import type { StageProgress } from '../../training/process/protocol.js';
import { rootFailure } from './failures.js';

/** What is known of activities that ended without a result: how far each came, and after what. */
export class Ends {
  readonly #told = new Map<string, Interruptions>();

  /** @param attempts by ids of activities; of those that end without an attempt that could say it. */
  tell(attempts: Readonly<Record<string, Interruptions>>): void {
    for (const [activityId, interruptions] of Object.entries(attempts)) this.#told.set(activityId, interruptions);
  }

  /** What an activity says in its failure's details; else what was reported about it. */
  of(failure: unknown): {
    readonly progress: StageProgress | undefined;
    readonly interruptions: Interruptions | undefined;
  } {
    const root = rootFailure(failure);
    const speaks = root instanceof CancelledFailure || root instanceof ApplicationFailure;
    const details: readonly unknown[] = speaks ? (root.details ?? []) : [];
    const [progress, interruptions] = [0, 1].map((i) => orAbsent(details[i])) as [StageProgress?, Interruptions?];
    const told = failure instanceof ActivityFailure ? this.#told.get(failure.activityId ?? '') : undefined;
    return { progress, interruptions: interruptions ?? told };
  }
}

/** Values that a worker left out arrive as null. Of what waits for its next attempt the server adds a message of its own. */
function orAbsent(detail: unknown): unknown {
  return typeof detail === 'object' && detail !== null ? detail : undefined;
}
