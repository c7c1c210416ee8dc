/** Thrown when a run cannot be started, found or steered; the message says what to do. */
export class RunError extends Error {
  override readonly name = 'RunError';
  constructor(
    readonly reason:
      | 'not-found'
      | 'already-running'
      | 'not-running'
      | 'refused'
      /** Temporal does not answer: it may later. */
      | 'unreachable'
      /** A setting has to be changed. */
      | 'setting',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
