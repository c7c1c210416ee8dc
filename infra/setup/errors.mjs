/** Thrown when the set-up cannot go on: what was found, and what the user should do about it. */
export class SetupError extends Error {
  /**
   * @param {string} message what went wrong
   * @param {string} mend what to install or do next
   * @param {string} [output] the last lines that the failed command printed
   */
  constructor(message, mend, output = '') {
    super(message);
    this.name = 'SetupError';
    /** @readonly */
    this.mend = mend;
    /** @readonly */
    this.output = output;
  }
}

/** Thrown into steps that are stopped because another one failed or the user pressed Ctrl-C. */
export class StoppedError extends Error {
  constructor() {
    super('stopped');
    this.name = 'StoppedError';
  }
}
