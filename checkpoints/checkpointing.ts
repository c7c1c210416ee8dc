import { setTimeout as sleep } from 'node:timers/promises';
import { isFinalForStore, persistently } from '../storage/async/persistently.js';
import { StoredObjectInvalid } from '../storage/storedJson.js';
import type { EventLog } from './events/eventLog.js';
import { orAborted } from '../storage/async/orAborted.js';
import type { CheckpointReference } from './reference.js';
import type { CheckpointStore } from './checkpointStore.js';
import { LeaseLost, ManifestMissing } from './errors.js';
import { encodeTrainingState, type TrainingState } from './reading/trainingState.js';

/** Milliseconds. */
const eventsInterval = 15_000;

/** The manifest is another's, or gone, or none any more: a save that is tried again would not come to count. */
const endsTraining = [LeaseLost, ManifestMissing, StoredObjectInvalid];

export interface CheckpointingOptions {
  readonly checkpoints: CheckpointStore;
  readonly events: EventLog;
  readonly configuration: unknown;
  /** The checkpoint that training goes on from. */
  readonly last: CheckpointReference | null;
  readonly onSaved: (checkpoint: CheckpointReference) => void;
  readonly warn: (message: string) => void;
  /** Told again and again while a save waits for the store. */
  readonly onWaiting: (message: string) => void;
  /** Aborted: what is not saved within the grace is given up. */
  readonly stopping: AbortSignal;
  readonly graceSeconds: number;
}

/**
 * Saves beside training: what is to be saved is copied first, then uploaded while the next steps run. Uploads follow
 * one another, in their order; a failed one is told by the next call.
 */
export class Checkpointing {
  private queue: Promise<void> = Promise.resolve();
  private failure: Error | null = null;
  private abandoned = new AbortController();
  private lastSaved: CheckpointReference | null;
  private lastBegun: number | null = null;
  private eventsShown = performance.now();
  private graceTimer: NodeJS.Timeout | undefined;
  private stoppedAt: number | null = null;
  private seconds: number | null = null;

  constructor(private readonly options: CheckpointingOptions) {
    this.lastSaved = options.last;
    const { stopping, graceSeconds } = options;
    const startGrace = (): void => {
      this.stoppedAt = performance.now();
      const giveUp = (): void => this.abandoned.abort(new Error(`it was not saved within ${graceSeconds} s`));
      this.graceTimer = setTimeout(giveUp, graceSeconds * 1000);
    };
    if (stopping.aborted) startGrace();
    else stopping.addEventListener('abort', startGrace, { once: true });
  }

  /** The last checkpoint that counts. */
  get last(): CheckpointReference | null {
    return this.lastSaved;
  }

  /** The step of the checkpoint that was begun last, and may count by now; null before the first of this attempt. */
  get begun(): number | null {
    return this.lastBegun;
  }

  /** @throws what stopped an upload: above all LeaseLost. */
  throwIfFailed(): void {
    if (this.failure !== null) throw this.failure;
  }

  /**
   * Begins to save a state that nothing changes any more, and ends the events' segment with it. Waits for the save
   * before, so that at most two states are held in memory.
   */
  async save(state: TrainingState, finished: boolean): Promise<void> {
    await this.settled();
    const { checkpoints, events, configuration, onSaved, onWaiting } = this.options;
    const parts = encodeTrainingState(state, configuration, finished ? [state.stage] : []);
    this.lastBegun = state.step;
    const segment = events.seal(state.step);
    const { signal } = this.abandoned;
    this.enqueue(async () => {
      const work = async (): Promise<void> => {
        const began = performance.now();
        await segment?.upload(signal);
        const { step, stage, loss } = state;
        const sealed = segment && { key: segment.key, from: segment.from, to: segment.to };
        this.lastSaved = await checkpoints.save({ step, stage, parts, events: sealed, finished, loss }, signal);
        this.took((performance.now() - began) / 1000);
        onSaved(this.lastSaved);
      };
      const what = `Saving the checkpoint of step ${state.step}`;
      const isFinal = (cause: unknown): boolean =>
        endsTraining.some((kind) => cause instanceof kind) || isFinalForStore(cause);
      await persistently(() => this.unlessGivenUp(work()), { what, warn: onWaiting, signal, isFinal });
    });
  }

  /**
   * Why a save that begins now would not be over within the grace, by how long the last one took; null where it would be,
   * where none was made yet, and where nobody told us to stop.
   */
  tooLate(): string | null {
    const { graceSeconds } = this.options;
    if (this.stoppedAt === null || this.seconds === null || this.lastSaved === null) return null;
    const left = graceSeconds - (performance.now() - this.stoppedAt) / 1000;
    if (this.seconds <= left) return null;
    return `a save takes about ${this.seconds.toFixed(1)} s, and ${Math.max(0, left).toFixed(1)} s of the grace are left`;
  }

  /** Says once that a save does not fit into the grace. */
  private took(seconds: number): void {
    const { graceSeconds, warn } = this.options;
    if (seconds > graceSeconds && (this.seconds ?? 0) <= graceSeconds) {
      const todo = 'Give the worker more (--grace), or save more often (checkpointEvery)';
      const then = 'told to stop, it falls back to the last checkpoint';
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

  /** Waits for what is under way. @throws as `throwIfFailed` does. */
  async settled(): Promise<void> {
    await this.queue;
    this.throwIfFailed();
  }

  /**
   * Waits until the checkpoint that was begun last counts, or until the trainer is told to stop: what is under way then
   * has its grace.
   *
   * @throws as `throwIfFailed` does.
   */
  async counted(): Promise<void> {
    await orAborted(this.queue, this.options.stopping);
    this.throwIfFailed();
  }

  /** Waits for what is under way, but no longer than the grace. */
  async settleBriefly(): Promise<void> {
    const { graceSeconds } = this.options;
    await Promise.race([this.queue, sleep(graceSeconds * 1000, undefined, { ref: false })]);
  }

  /** Gives up what is under way and has not come to count. */
  async end(): Promise<void> {
    this.abandoned.abort(new Error('the trainer ends'));
    await this.queue;
    clearTimeout(this.graceTimer);
  }

  /** Who has given up does not wait for the answer to a request that is under way. */
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
        this.failure ??= cause instanceof Error ? cause : new Error(String(cause));
      });
  }
}
