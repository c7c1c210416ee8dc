import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { storeErrors } from '../../storage/types.js';
import { CheckpointsLost, LeaseLost, ManifestMissing } from '../errors.js';

/** Errors of saving that callers distinguish: they keep their class on their way out of a thread. */
const classes = [CheckpointsLost, LeaseLost, ManifestMissing, StoredObjectInvalid, ...storeErrors];
const classOf = new Map(classes.map((kind) => [kind.name, kind]));

/** An error as it passes between threads. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its further fields: `key`, `code`, … */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: SentError | null;
}

/** @param error anything that was thrown. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) return sendError(new Error(String(error)));
  const { name, message, stack, cause } = error;
  const plain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value) || value === null;
  const fields = Object.entries(error).filter(
    ([field, value]) =>
      !['name', 'message', 'stack', 'cause'].includes(field) &&
      (plain(value) || (Array.isArray(value) && value.every(plain))),
  );
  const sentCause = cause === undefined ? null : sendError(cause);
  return { name, message, stack, fields: Object.fromEntries(fields), cause: sentCause };
}

/** The error again, of its class if it is one of those above, and of its name in any case. */
export function receiveError({ name, message, stack, fields, cause }: SentError): Error {
  const error = Object.create((classOf.get(name) ?? Error).prototype) as Error;
  // As a constructor has them: not to be listed.
  const hidden = (value: unknown): PropertyDescriptor => ({ value, writable: true, configurable: true });
  Object.defineProperties(error, {
    name: hidden(name),
    message: hidden(message),
    stack: hidden(stack),
    ...(cause === null ? {} : { cause: hidden(receiveError(cause)) }),
  });
  return Object.assign(error, fields);
}
