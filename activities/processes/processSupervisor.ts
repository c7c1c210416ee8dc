import { fork, type ChildProcess, type Serializable } from 'node:child_process';
import type { BoundedLog } from './boundedLog.js';
import { overtimeExitCode } from './overtime.js';
import { killGroup, sweepGroup, watchOver } from './processGroups.js';

export interface SupervisedProcess<Event> {
  /** Human-readable: `trainer`. */
  readonly name: string;
  readonly modulePath: string;
  /** Credentials come this way, and no other. */
  readonly environment: NodeJS.ProcessEnv;
  readonly log: BoundedLog;
  /** The first command. */
  readonly start: Serializable;
  /** The command that asks it to save and end. */
  readonly stop: (reason: string) => Serializable;
  /** undefined for a message that is no event: it is logged, and proves nothing. */
  readonly readEvent: (message: unknown) => Event | undefined;
  /** Whether nothing comes after this event. */
  readonly isLast: (event: Event) => boolean;
  /** Called with every event as it comes: what a heartbeat may be built on. */
  readonly onEvent: (event: Event) => void;
  /** Asks the process to stop; its reason is passed on. */
  readonly stopSignal: AbortSignal;
  /** Seconds that it has to save and end once asked to. */
  readonly graceSeconds: number;
  /** Seconds without an event after which it counts as hung. */
  readonly progressTimeoutSeconds: number;
}

export type ProcessEnd<Event> =
  /** It reported its end itself. */
  | { readonly kind: 'told'; readonly event: Event }
  /** It ended without saying why: `how` is a signal or an exit code; human-readable. */
  | { readonly kind: 'crashed'; readonly how: string }
  | { readonly kind: 'hung'; readonly how: string }
  /** Asked to stop, it did not in its grace. */
  | { readonly kind: 'killed'; readonly how: string };

/** Seconds that a process has to exit once it reported its end. */
const exitSeconds = 5;

/**
 * Runs a module in a child process of its own group, until it ends or has to be ended. The group is gone when this
 * resolves. The child must end by itself when its IPC channel closes: that is how it learns that this process was killed.
 */
export async function superviseProcess<Event>(options: SupervisedProcess<Event>): Promise<ProcessEnd<Event>> {
  const { name, log, stopSignal } = options;
  if (stopSignal.aborted) return { kind: 'killed', how: 'was not started: its worker is stopping' };
  const child = fork(options.modulePath, [], {
    env: options.environment,
    execArgv: ['--enable-source-maps'],
    // Ctrl-C and a SIGTERM to the worker's group are for the worker: it asks the trainer to stop, and waits.
    detached: true,
    // Garbage on a JSON channel would throw in this process; on this one it only silences the child.
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  watchOver(child);
  log.note(`${name} started as process ${child.pid}`);
  const end = new Ending<Event>(child, options);
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
  child.on('message', (message) => end.hear(message));
  // Also a failed spawn and a failed send: what follows from it shows at the exit.
  child.on('error', (error) => log.note(`${name}: ${error.message}`));
  const stop = () => end.ask(String(stopSignal.reason));
  stopSignal.addEventListener('abort', stop);
  if (child.connected) child.send(options.start, () => {});
  try {
    if (child.pid !== undefined) await exited(child);
    const result = end.result();
    log.note(`${name} ${result.kind === 'told' ? 'ended' : result.how}`);
    return result;
  } finally {
    stopSignal.removeEventListener('abort', stop);
    end.clear();
    sweepGroup(child);
  }
}

/** What is known of the end of a process, and the clocks that hasten it. */
class Ending<Event> {
  #last: Event | undefined;
  #hung = false;
  #asked = false;
  #killed = false;
  #clock: NodeJS.Timeout | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly options: SupervisedProcess<Event>,
  ) {
    this.expectProgress();
  }

  hear(message: unknown): void {
    const { log, name, readEvent, isLast, onEvent } = this.options;
    const event = readEvent(message);
    if (event === undefined) {
      log.note(`${name} sent what is not an event: ${String(JSON.stringify(message)).slice(0, 200)}`);
      return;
    }
    if (this.#last !== undefined) return;
    if (isLast(event)) {
      this.#last = event;
      this.killIn(exitSeconds, 'had reported its end, but did not exit');
      return;
    }
    onEvent(event);
    if (!this.#asked) this.expectProgress();
  }

  /** Asks the process to save and end. */
  ask(reason: string): void {
    if (this.#asked || this.#last !== undefined) return;
    this.#asked = true;
    const { stop, graceSeconds, log, name } = this.options;
    log.note(`${name} is asked to stop: ${reason}`);
    if (this.child.connected) this.child.send(stop(reason), (error) => error && this.child.kill());
    else this.child.kill('SIGTERM');
    this.killIn(graceSeconds, `did not stop within ${graceSeconds} s`);
  }

  result(): ProcessEnd<Event> {
    if (this.#last !== undefined) return { kind: 'told', event: this.#last };
    const { exitCode, signalCode } = this.child;
    const { graceSeconds, progressTimeoutSeconds } = this.options;
    if (this.#hung) return { kind: 'hung', how: `said nothing for ${progressTimeoutSeconds} s, and was ended` };
    const isLate = this.#killed || exitCode === overtimeExitCode;
    if (this.#asked && isLate) return { kind: 'killed', how: `did not stop within its ${graceSeconds} s` };
    if (signalCode !== null) return { kind: 'crashed', how: `was ended by ${signalCode}` };
    return { kind: 'crashed', how: exitCode === null ? 'could not be started' : `ended with exit code ${exitCode}` };
  }

  clear(): void {
    clearTimeout(this.#clock);
  }

  private expectProgress(): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => {
      this.#hung = true;
      this.kill(`said nothing for ${this.options.progressTimeoutSeconds} s`);
    }, this.options.progressTimeoutSeconds * 1000);
  }

  private killIn(seconds: number, why: string): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.kill(why), seconds * 1000);
  }

  private kill(why: string): void {
    const { log, name } = this.options;
    log.note(`${name} ${why}: killed`);
    this.#killed = true;
    if (this.child.pid !== undefined) killGroup(this.child.pid);
  }
}

/** Ended, and its last messages and lines read, unless a process that it left behind holds the pipes open. */
async function exited(child: ChildProcess): Promise<void> {
  // Not `once` of node:events: that throws at the `error` event, which a failed send emits too.
  const event = (name: 'exit' | 'close' | 'disconnect') => new Promise<void>((done) => child.once(name, () => done()));
  const drained = Promise.all([event('close'), child.connected ? event('disconnect') : undefined]);
  if (child.exitCode === null && child.signalCode === null) await event('exit');
  let patience: NodeJS.Timeout | undefined;
  await Promise.race([drained, new Promise((done) => (patience = setTimeout(done, 1000)))]);
  clearTimeout(patience);
}
