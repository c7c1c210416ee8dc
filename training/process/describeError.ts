import { faultOf } from './faults.js';

/** An error, human-readable: its message with those of its causes, and its place where nobody foresaw it. */
export function describeError(error: unknown, foreseen = faultOf(error) !== 'infrastructure'): string {
  const place = error instanceof Error && !foreseen ? `\n${error.stack ?? ''}` : '';
  return messages(error) + place;
}

function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause === undefined) return error.message;
  const cause = messages(error.cause);
  // Some messages quote their cause.
  return error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
}
