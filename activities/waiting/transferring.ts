import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { clockProblem } from '../../storage/s3/clock.js';
import type { StoreListener } from '../../storage/types.js';
import type { ErrorKinds } from '../failures.js';
import { interruptible } from './interruptible.js';
import { interruptionsBefore, type CountedBefore } from './interruptions.js';
import type { TransferProgress } from '../../datasets/fetch/progress.js';
import type { ActivityHeartbeat, MaybeInterrupted } from '../types.js';
import { Waiting } from './waiting.js';
import { workerName } from '../workerName.js';

/** What work that moves files to or from an object store is given. */
export interface Transfer {
  /** Ends it: it is cancelled, or the worker is told to stop. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TransferProgress) => void;
  /** For the store: while it is waited for, or for credentials to be renewed, the activity is alive and says so. */
  readonly listener: StoreListener;
}

/**
 * Runs such work for the current activity: heartbeats on its progress, and counts what its attempts went through.
 *
 * @param stopping aborted when the worker is told to stop.
 * @param faults as for `activityFailure`.
 */
export async function transferring<T extends object>(
  stopping: AbortSignal,
  work: (transfer: Transfer) => Promise<T>,
  faults: ErrorKinds,
): Promise<T & MaybeInterrupted> {
  const context = Context.current();
  const before = context.info.heartbeatDetails as CountedBefore | undefined;
  const preemptions = before?.preemptions ?? 0;
  const interruptions = interruptionsBefore(context.info.attempt, before ?? {});
  const waiting = new Waiting((message) => void context.log.warn(message));
  let progress: TransferProgress = { doneBytes: 0, totalBytes: null, doneFiles: 0, totalFiles: null, current: '' };
  const beat = (counted = preemptions): void => {
    const heartbeat = { kind: 'transfer', progress, waitsFor: waiting.message, preemptions: counted } as const;
    context.heartbeat(heartbeat satisfies ActivityHeartbeat);
  };
  const onProgress = (told: TransferProgress): void => {
    progress = told;
    waiting.over();
    beat();
  };
  const warn = (message: string): void => {
    waiting.on(message);
    beat();
  };
  try {
    const run = (signal: AbortSignal): Promise<T> => work({ signal, onProgress, listener: { signal, warn } });
    const result = await interruptible(context, stopping, run, faults);
    const clock = clockProblem();
    if (clock === null) return { ...result, interruptions };
    const warnings = [`Worker ${workerName()}: ${clock}.`];
    context.log.warn(warnings[0]!);
    return { ...result, interruptions: { ...interruptions, warnings } };
  } catch (failure) {
    if (failure instanceof CancelledFailure) throw new CancelledFailure(failure.message, [undefined, interruptions]);
    if (failure instanceof ApplicationFailure && failure.type === 'Stopped') beat(preemptions + 1);
    throw failure;
  }
}
