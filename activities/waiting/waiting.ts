/** Milliseconds that a wait lasts before a log has it, and from one such line to the next. */
const patience = 10_000;
const interval = 60_000;

/**
 * What an activity waits for: its heartbeats carry it, and the worker's log has a line of it now and then. What passes
 * within seconds is not worth one.
 */
export class Waiting {
  #message: string | null = null;
  #since = 0;
  #loggedAt = -Infinity;

  constructor(private readonly log: (message: string) => void) {}

  /** null while it gets on. */
  get message(): string | null {
    return this.#message;
  }

  on(message: string): void {
    const now = performance.now();
    if (this.#message === null) this.#since = now;
    this.#message = message;
    if (now - this.#since < patience || now - this.#loggedAt < interval) return;
    this.#loggedAt = now;
    this.log(message);
  }

  over(): void {
    this.#message = null;
  }
}
