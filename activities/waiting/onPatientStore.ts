import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { patientStore } from '../../storage/wrappers/patientStore.js';
import type { ObjectStore, StoreListener } from '../../storage/types.js';
import { backOff, passingFault, underWay } from '../failures.js';
import { interruptible } from './interruptible.js';
import { Waiting } from './waiting.js';

/**
 * What a GPU worker itself does on the object store of a run that is under way, around what its processes do: a store that
 * is away is waited for, and the activity's heartbeats say so; they keep what they said before.
 *
 * @param stopping aborted when the worker is told to stop.
 */
export async function onPatientStore<T>(
  open: (listener: StoreListener) => ObjectStore,
  stopping: AbortSignal,
  work: (store: ObjectStore) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const waiting = new Waiting((message) => void context.log.warn(message));
  const before = { progress: null, message: null, preemptions: 0, ...(context.info.heartbeatDetails as object) };
  const beat = (preemptions = before.preemptions): void =>
    context.heartbeat({ kind: 'prediction', ...before, preemptions, waitsFor: waiting.message });
  const waitAloud = (signal: AbortSignal): StoreListener => ({
    signal,
    warn(message) {
      waiting.on(message);
      beat();
    },
  });
  try {
    return await interruptible(
      context,
      stopping,
      (signal) => {
        const listener = waitAloud(signal);
        return work(patientStore(open(listener), listener));
      },
      underWay,
    );
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'Stopped') beat(before.preemptions + 1);
    if (error instanceof TemporalFailure || !(error instanceof Error)) throw error;
    throw passingFault('Infrastructure', error.message, backOff(context.info.attempt));
  }
}
