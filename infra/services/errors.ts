/** Thrown when an embedded service cannot be started, or ends on its own: the message says why and what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  constructor(
    message: string,
    /** The service's log, where it has one. */
    readonly logFile?: string,
  ) {
    super(message);
  }
}
