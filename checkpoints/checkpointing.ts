import { isFinalForStore, persistently } from '../storage/async/persistently.js';
import { StoredObjectInvalid } from '../storage/storedJson.js';
import type { EventLog } from './events/eventLog.js';
import { orAborted } from '../storage/async/orAborted.js';
import type { CheckpointReference } from './reference.js';
import type { CheckpointStore } from './checkpointStore.js';
import { LeaseLost, ManifestMissing } from './errors.js';
import { checkpointParts, type EncodedState } from './reading/trainingState.js';

/** Milliseconds. */
const eventsInterval = 15_000;

/** The manifest is another's, gone or unreadable: a save that is tried again would not come to count. */
const endsTraining = [LeaseLost, ManifestMissing, StoredObjectInvalid];

export interface CheckpointingOptions {
  readonly checkpoints: CheckpointStore;
  readonly events: EventLog;
  readonly configuration: unknown;
  /** The checkpoint that training goes on from. */
  readonly last: CheckpointReference | null;
  /** @param seconds that hashing and the upload took, without what failed before. */
  readonly onSaved: (checkpoint: CheckpointReference, seconds: number) => void;
  /** Called once: nothing more is uploaded then. */
  readonly onFailed: (error: Error) => void;
  /** An upload is over, whatever came of it. */
  readonly onAnswered: () => void;
  readonly warn: (message: string) => void;
  /** Called again and again while a save waits for the store. */
  readonly onWaiting: (message: string) => void;
  /** Aborted: what is not saved within the grace is given up. */
  readonly stopping: AbortSignal;
  readonly graceSeconds: number;
}

/**
 * Uploads of checkpoints and events, one after another, in the order in which they are asked for. It lives where nothing
 * else takes the event loop's time (see CheckpointKeeper).
 */
export class Checkpointing {
  private queue: Promise<void> = Promise.resolve();
  private failure: Error | null = null;
  private abandoned = new AbortController();
  private eventsShown = performance.now();
  private graceTimer: NodeJS.Timeout | undefined;
  private seconds: number | null = null;

  constructor(private readonly options: CheckpointingOptions) {
    const { stopping, graceSeconds } = options;
    const startGrace = (): void => {
      const giveUp = (): void => this.abandoned.abort(new Error(`it was not saved within ${graceSeconds} s`));
      this.graceTimer = setTimeout(giveUp, graceSeconds * 1000);
    };
    if (stopping.aborted) startGrace();
    else stopping.addEventListener('abort', startGrace, { once: true });
  }

  /** Saves a state that nothing changes any more, and ends the events' segment with it. */
  save(state: EncodedState, finished: boolean): void {
    const { checkpoints, events, configuration, onSaved, onWaiting } = this.options;
    const segment = events.seal(state.step);
    const { signal } = this.abandoned;
    this.enqueue(async () => {
      const asked = performance.now();
      const parts = checkpointParts(state, configuration, finished ? [state.stage] : []);
      const hashing = performance.now() - asked;
      const work = async (): Promise<void> => {
        const began = performance.now() - hashing;
        await segment?.upload(signal);
        const { step, stage, loss } = state;
        const sealed = segment && { key: segment.key, from: segment.from, to: segment.to };
        const saved = await checkpoints.save({ step, stage, parts, events: sealed, finished, loss }, signal);
        const seconds = (performance.now() - began) / 1000;
        this.took(seconds);
        onSaved(saved, seconds);
      };
      const what = `Saving the checkpoint of step ${state.step}`;
      const isFinal = (cause: unknown): boolean =>
        endsTraining.some((kind) => cause instanceof kind) || isFinalForStore(cause);
      await persistently(() => this.unlessGivenUp(work()), { what, warn: onWaiting, signal, isFinal });
    });
  }

  /** Says once that a save does not fit into the grace. */
  private took(seconds: number): void {
    const { graceSeconds, warn } = this.options;
    if (seconds > graceSeconds && (this.seconds ?? 0) <= graceSeconds) {
      const todo = 'Give the worker more (--grace), or save more often (checkpointEvery)';
      const then = 'if it is stopped, training goes on from the last checkpoint';
      warn(`A save took ${seconds.toFixed(1)} s, the grace is ${graceSeconds.toFixed(1)} s: ${then}. ${todo}.`);
    }
    this.seconds = seconds;
  }

  /** Shows the open events to those who watch, now and then; without them the steps go on all the same. */
  showEvents(): void {
    const { events, warn, onWaiting } = this.options;
    const now = performance.now();
    // The whole segment is sent every time.
    if (now - this.eventsShown < eventsInterval) return;
    this.eventsShown = now;
    const { signal } = this.abandoned;
    // Once: what comes later has it too. But the next save waits for it.
    const once = { what: 'Uploading events', warn: onWaiting, signal, isFinal: () => true };
    this.enqueue(() =>
      persistently(() => this.unlessGivenUp(events.uploadOpen(signal)), once).catch((cause: unknown) =>
        warn(`Uploading events failed: ${cause instanceof Error ? cause.message : String(cause)}`),
      ),
    );
  }

  /** Waits for what is under way, whatever comes of it. */
  idle(): Promise<void> {
    return this.queue;
  }

  /** Gives up what is under way and has not come to count. */
  async end(): Promise<void> {
    this.abandoned.abort(new Error('the trainer ends'));
    await this.queue;
    clearTimeout(this.graceTimer);
  }

  /** Once given up, it does not wait for the answer to a request that is under way. */
  private async unlessGivenUp(work: Promise<void>): Promise<void> {
    const { signal } = this.abandoned;
    await orAborted(work, signal);
    signal.throwIfAborted();
  }

  private enqueue(work: () => Promise<void>): void {
    this.queue = this.queue
      .then(async () => {
        if (this.failure === null) await work();
      })
      .catch((cause: unknown) => {
        if (this.failure !== null) return;
        this.failure = cause instanceof Error ? cause : new Error(String(cause));
        this.options.onFailed(this.failure);
      })
      .finally(() => this.options.onAnswered());
  }
}
