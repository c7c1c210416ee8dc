const firstNote = 4_000;
const laterNotes = 10_000;

/**
 * @typedef {object} StepReport what a running step can say about itself
 * @property {(detail: string) => void} say replaces the detail shown beside the step's name
 * @property {(measure: () => string) => void} watch asks for the detail each time it is shown
 */

/**
 * Shows steps that run side by side, one plain line an event: no cursor movements, so that a log file reads as well as a
 * terminal. A step that takes long is named again from time to time, with what it is doing.
 */
export class Progress {
  /** @type {Set<{ name: string, started: number, measure: () => string }>} */
  #running = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #started = Date.now();

  /**
   * @template T
   * @param {string} name
   * @param {(report: StepReport) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(name, work) {
    const step = { name, started: Date.now(), measure: () => '' };
    this.#running.add(step);
    this.#line('start', name, '');
    this.#schedule(firstNote);
    try {
      const result = await work({
        say: (detail) => void (step.measure = () => detail),
        watch: (measure) => void (step.measure = measure),
      });
      this.#line('done', name, this.#describe(step));
      return result;
    } catch (error) {
      if (!(error instanceof Error && error.name === 'StoppedError')) this.#line('FAILED', name, this.#describe(step));
      throw error;
    } finally {
      this.#running.delete(step);
      if (this.#running.size === 0) clearTimeout(this.#timer);
    }
  }

  /** @returns {number} seconds since the set-up began */
  seconds() {
    return (Date.now() - this.#started) / 1000;
  }

  /** @param {number} delay milliseconds */
  #schedule(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const step of this.#running) this.#line('...', step.name, this.#describe(step));
      this.#schedule(laterNotes);
    }, delay);
    this.#timer.unref();
  }

  /** @param {{ started: number, measure: () => string }} step */
  #describe(step) {
    const seconds = `${((Date.now() - step.started) / 1000).toFixed(0).padStart(4)} s`;
    const detail = step.measure();
    return detail ? `${seconds}  ${detail}` : seconds;
  }

  /**
   * @param {string} event
   * @param {string} name
   * @param {string} rest
   */
  #line(event, name, rest) {
    console.log(`  ${event.padEnd(6)} ${rest ? name.padEnd(22) : name} ${rest}`.trimEnd());
  }
}

/**
 * @param {number} bytes
 * @returns {string} in MB, human-readable
 */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
