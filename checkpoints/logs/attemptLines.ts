/** Why an attempt ended that had no time to say so. */
export const lostReason = 'its worker was lost: no sign of life came any more';

/** Fields of the first line of an attempt's log. @param attemptOn the worker, human-readable. */
export const attemptBegins = (attemptOn: string): Record<string, string> => ({ attemptOn });

/** Fields of the line that says why it ended. */
export const attemptEnds = (attemptEnd: string): Record<string, string> => ({ attemptEnd });

/** What lines of an attempt's log say about the attempt itself. */
export interface AttemptSaid {
  readonly attemptOn?: unknown;
  readonly attemptEnd?: unknown;
}
