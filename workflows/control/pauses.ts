import { CancellationScope, condition } from '@temporalio/workflow';
import { findUserFault } from './failures.js';

/**
 * Lets a workflow pause: what runs is cancelled (which activities take as "save and stop"), and called again on resume.
 * So only what is idempotent goes through `run`.
 */
export class Pauses {
  #paused = false;
  readonly #running = new Set<CancellationScope>();

  /** @param onChange called when something stops for a pause, or goes on. */
  constructor(private readonly onChange: () => void = () => {}) {}

  get requested(): boolean {
    return this.#paused;
  }

  /** True once nothing runs any more. */
  get inForce(): boolean {
    return this.#paused && this.#running.size === 0;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    for (const scope of this.#running) scope.cancel();
    this.onChange();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.onChange();
  }

  /** Stops what runs in an orderly way; it is called again at once. */
  interrupt(): void {
    for (const scope of this.#running) scope.cancel();
  }

  /**
   * @param call schedules an activity and returns its result.
   * @param onFailure given the failure with which an activity ended, which may say how far it came, and whether it was
   *   stopped for a pause: then it is called again.
   */
  async run<T>(call: () => Promise<T>, onFailure: (failure: unknown, paused: boolean) => void = () => {}): Promise<T> {
    const enclosing = CancellationScope.current();
    for (;;) {
      await condition(() => !this.#paused);
      const scope = new CancellationScope({ cancellable: true, parent: enclosing });
      this.#running.add(scope);
      try {
        return await scope.run(call);
      } catch (failure) {
        // A lost worker cannot confirm the cancellation, so a pause also takes time-outs for an interruption.
        const stopped = scope.consideredCancelled && !enclosing.consideredCancelled;
        const paused = stopped && findUserFault(failure) === undefined;
        onFailure(failure, paused);
        if (!paused) throw failure;
      } finally {
        this.#running.delete(scope);
        if (this.inForce) this.onChange();
      }
    }
  }
}
