import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { acceptedSoFar } from '../../storage/s3/accepted.js';
import { orAborted } from '../../storage/async/orAborted.js';
import type { ObjectStore } from '../../storage/types.js';
import type { CheckpointRun, CheckpointStore } from '../checkpointStore.js';
import type { EventRecorder } from '../events/eventLog.js';
import { encodeArrays, type TrainingState } from '../reading/trainingState.js';
import type { CheckpointReference } from '../reference.js';
import { receiveError } from './faults.js';
import type { FromKeeper, KeeperStart, KeeperThreadStart, KeeperEvent, ToKeeper } from './messages.js';
import { serveKeeper } from './serveKeeper.js';

export interface CheckpointKeeperOptions {
  readonly job: CheckpointRun;
  /** Handed over: whoever claimed it writes no more. */
  readonly checkpoints: CheckpointStore;
  /** In place of the store of the configuration: it is served on this thread; for tests and measurements. */
  readonly store?: ObjectStore | undefined;
  /** The step that training goes on from. */
  readonly from: number;
  /** The checkpoint that training goes on from. */
  readonly last: CheckpointReference | null;
  readonly onSaved: (checkpoint: CheckpointReference) => void;
  readonly warn: (message: string) => void;
  /** Called again and again while a save waits for the store. */
  readonly onWaiting: (message: string) => void;
  /** Aborted: what is not saved within the grace is given up. */
  readonly stopping: AbortSignal;
  readonly graceSeconds: number;
}

/** Seconds that the thread may take beyond the grace to say that it has given up, and to end: it gives up at once. */
const overtime = 4;

type Ends = Pick<MessagePort, 'postMessage'> & { readonly end: () => Promise<unknown> };

/**
 * Saves beside training, in a thread of its own: TensorFlow's calls block this one for seconds at a time, in which no
 * request would get on. What is to be saved is copied here; hashing and uploads are there, in the order in which they are
 * asked for. A failure is thrown by the next call.
 */
export class CheckpointKeeper {
  private readonly keeper: Ends;
  private readonly settling = new Map<number, () => void>();
  private nextId = 0;
  private failure: Error | null = null;
  private hasEnded = false;
  private ended: () => void = () => undefined;
  private readonly whenEnded = new Promise<void>((resolve) => (this.ended = resolve));
  private waiting: string | null = null;
  private lastSaved: CheckpointReference | null;
  private lastBegun: number | null = null;
  private stoppedAt: number | null = null;
  private overdueTimer: NodeJS.Timeout | undefined;
  private copySeconds = 0;
  private seconds: number | null = null;
  private written = 0;

  /** Where what is to be shown goes. */
  readonly events: EventRecorder = {
    scalar: (step, tag, value) => this.tell({ kind: 'scalar', wallTime: Date.now() / 1000, step, tag, value }),
    picture: (step, tag, picture) => this.tell({ kind: 'picture', wallTime: Date.now() / 1000, step, tag, picture }),
    mesh: (step, tag, mesh) => this.tell({ kind: 'mesh', wallTime: Date.now() / 1000, step, tag, mesh }),
  };

  constructor(private readonly options: CheckpointKeeperOptions) {
    const { job, checkpoints, store, from, last, stopping, graceSeconds } = options;
    this.lastSaved = last;
    const start: KeeperStart = { job, checkpoints: checkpoints.handOver(), from, last, graceSeconds };
    this.keeper = store === undefined ? this.startThread(start) : this.serveHere(start, store);
    const stop = (): void => {
      this.stoppedAt = performance.now();
      this.tell({ kind: 'stop' });
      const late = (): void => this.fail(new Error('the thread that saves does not answer'));
      this.overdueTimer = setTimeout(late, (graceSeconds + overtime) * 1000);
    };
    if (stopping.aborted) stop();
    else stopping.addEventListener('abort', stop, { once: true });
  }

  /** The last checkpoint that counts. */
  get last(): CheckpointReference | null {
    return this.lastSaved;
  }

  /** The step of the checkpoint that was begun last, and may count by now; null before the first of this attempt. */
  get begun(): number | null {
    return this.lastBegun;
  }

  /** Of the last save, from the copy to the manifest that names it; null before the first of this attempt. */
  get saveSeconds(): number | null {
    return this.seconds;
  }

  /** By saves and events, so far. */
  get bytesWritten(): number {
    return this.written;
  }

  /** @throws what stopped an upload: above all LeaseLost. */
  throwIfFailed(): void {
    if (this.failure !== null) throw this.failure;
  }

  /**
   * Begins to save a state: it is copied before this returns. Ends the events' segment with it. Waits for the save before,
   * so that at most two states are held in memory.
   */
  async save(state: TrainingState, finished: boolean): Promise<void> {
    await this.settled();
    const began = performance.now();
    const encoded = encodeArrays(state);
    this.copySeconds = (performance.now() - began) / 1000;
    this.lastBegun = state.step;
    const message: ToKeeper = { kind: 'save', state: encoded, finished };
    this.tell(message, [ownBuffer(encoded.model), ownBuffer(encoded.optimizer)]);
  }

  /**
   * Why a save that begins now would not be over within the grace, by how long the last one took; null where it would be,
   * where none was made yet, and where no stop was requested.
   */
  tooLate(): string | null {
    const { graceSeconds } = this.options;
    if (this.stoppedAt === null || this.seconds === null || this.lastSaved === null) return null;
    const left = graceSeconds - (performance.now() - this.stoppedAt) / 1000;
    if (this.seconds <= left) return null;
    return `a save takes about ${this.seconds.toFixed(1)} s, and ${Math.max(0, left).toFixed(1)} s of the grace are left`;
  }

  /** Shows the open events to those who watch, now and then. */
  showEvents(): void {
    this.tell({ kind: 'show' });
  }

  /** Waits for what is under way; once told to stop, not much longer than the grace. @throws as `throwIfFailed` does. */
  async settled(): Promise<void> {
    await this.idle();
    this.throwIfFailed();
  }

  /**
   * Waits until the checkpoint that was begun last counts, or until the trainer is told to stop: what is under way then
   * has its grace.
   *
   * @throws as `throwIfFailed` does.
   */
  async counted(): Promise<void> {
    await orAborted(this.idle(), this.options.stopping);
    this.throwIfFailed();
  }

  /** Waits for what is under way, but no longer than the grace. */
  async settleBriefly(): Promise<void> {
    await Promise.race([this.idle(), sleep(this.options.graceSeconds * 1000, undefined, { ref: false })]);
  }

  /** Gives up what is under way and has not come to count. */
  async end(): Promise<void> {
    this.tell({ kind: 'end' });
    await Promise.race([this.whenEnded, sleep(overtime * 1000, undefined, { ref: false })]);
    clearTimeout(this.overdueTimer);
    this.release();
    await this.keeper.end();
  }

  private idle(): Promise<void> {
    if (this.hasEnded || this.failure !== null) return Promise.resolve();
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.settling.set(id, resolve);
      this.tell({ kind: 'settle', id });
    });
  }

  private startThread(start: KeeperStart): Ends {
    const { storage } = this.options.job.configuration;
    const workerData: KeeperThreadStart = { ...start, storage, accepted: acceptedSoFar() };
    const worker = new Worker(new URL('./keeperThread.js', import.meta.url), { workerData });
    worker.on('message', (message: FromKeeper) => this.hear(message));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', () => this.fail(new Error('the thread that saves has ended')));
    return { postMessage: worker.postMessage.bind(worker), end: () => worker.terminate() };
  }

  private serveHere(start: KeeperStart, store: ObjectStore): Ends {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: FromKeeper) => this.hear(message));
    serveKeeper(port2, start, () => store);
    const end = async (): Promise<void> => port1.close();
    return { postMessage: port1.postMessage.bind(port1), end };
  }

  private tell(message: ToKeeper, transferred: ArrayBuffer[] = []): void {
    if (!this.hasEnded) this.keeper.postMessage(message, transferred);
  }

  private hear({ event, bytesWritten }: FromKeeper): void {
    this.written = bytesWritten;
    this.handle(event);
  }

  private handle(event: KeeperEvent): void {
    const { onSaved, warn } = this.options;
    switch (event.kind) {
      case 'saved':
        this.lastSaved = event.checkpoint;
        this.seconds = event.seconds + this.copySeconds;
        return onSaved(event.checkpoint);
      case 'failed':
        return this.fail(receiveError(event.error));
      case 'settled':
        this.settling.get(event.id)?.();
        return void this.settling.delete(event.id);
      case 'warning':
        return warn(event.message);
      case 'waiting':
        return this.hearOfWaiting(event.message);
      case 'answered':
        this.waiting = null;
        return;
      case 'ended':
        return this.release();
    }
  }

  /** Passed on once all has been read that was said while this thread was in a step: the answer may have come since. */
  private hearOfWaiting(message: string): void {
    if (this.waiting === null) {
      setImmediate(() => {
        if (this.waiting !== null) this.options.onWaiting(this.waiting);
        this.waiting = null;
      });
    }
    this.waiting = message;
  }

  private fail(error: Error): void {
    if (!this.hasEnded) this.failure ??= error;
    for (const resolve of this.settling.values()) resolve();
    this.settling.clear();
  }

  /** No more messages are sent to it. */
  private release(): void {
    this.hasEnded = true;
    for (const resolve of this.settling.values()) resolve();
    this.settling.clear();
    this.ended();
  }
}

/** The buffer of bytes that have it to themselves. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteLength !== bytes.buffer.byteLength)
    throw new Error('the bytes share their buffer: it cannot be given away');
  return bytes.buffer as ArrayBuffer;
}
