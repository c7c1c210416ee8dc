import { isUnreadable, nameOf, statusOf, type ServiceFailure } from './s3Failure.js';
import { verdictOf, verdictOfUnknown } from './s3Refusals.js';
import {
  ContentDamaged,
  CredentialsExpired,
  ObjectNotFound,
  PreconditionFailed,
  StoreAccessDenied,
  StoreUnavailable,
  StoreUnsuitable,
  storeErrors,
} from '../../types.js';

/** Refusals that name the credentials: where they were good before, they have expired or are being replaced. */
const expired = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidIdentityToken',
  'InvalidToken',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  // From versitygw, with status 404: the access key is not known.
  'XAdminUserNotFound',
]);

/** Refusals that may as well be a missing permission. */
const denied = new Set(['AccessDenied', 'AccessDeniedException', 'AllAccessDisabled']);

export function isExpired(cause: unknown): boolean {
  return expired.has(nameOf(cause)) || statusOf(cause) === 401;
}

/** Whether a request was refused for its credentials, or for what they may do: not each 403 is one. */
export function isRefusal(cause: unknown): boolean {
  if (isExpired(cause)) return true;
  if (verdictOf(cause) !== null) return false;
  return denied.has(nameOf(cause)) || (statusOf(cause) === 403 && !isUnreadable(cause));
}

/** Someone else is writing the same key just now: S3 asks to try again. */
export function isConflict(cause: unknown): boolean {
  const { name } = cause as ServiceFailure;
  return name === 'ConditionalRequestConflict' || name === 'OperationAborted';
}

/** The SDK compares what it read with the checksum in the answer's head: that of what was written. */
export function isChecksumMismatch(cause: unknown): cause is Error {
  return cause instanceof Error && cause.message.startsWith('Checksum mismatch');
}

const acceptedBefore = new WeakSet<object>();

/** Marks a refusal of credentials that had been accepted before. */
export function markAcceptedBefore(cause: unknown): void {
  if (typeof cause === 'object' && cause !== null) acceptedBefore.add(cause);
}

/** A missing object, as a store itself says it: a 404 of something that stands before it (a gateway) is none. */
const missing = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound', 'ObjectNotFound']);

/** The SDK's error as one of the store's own, or as one that says what was done to which object, and what to do. */
export function storeError(cause: unknown, action: string, key: string, store: string): Error {
  if (storeErrors.some((kind) => cause instanceof kind)) return cause as Error;
  const failure = cause as ServiceFailure;
  const { name = '', message = '' } = failure;
  const status = statusOf(cause);
  if (cause instanceof Error && (name === 'AbortError' || isLocal(failure))) return cause;
  if (name === 'NoSuchBucket') {
    return new StoreUnsuitable(
      `The bucket of ${store} does not exist. Create it, or correct storage.bucket and storage.endpoint.`,
      { cause },
    );
  }
  if (action === 'read' && isChecksumMismatch(cause)) return new ContentDamaged(key, store, message);
  if (isRefusal(cause)) return accessError(cause, action, key, store);
  if (missing.has(failure.Code ?? '')) return new ObjectNotFound(key, store);
  if (name === 'PreconditionFailed' || status === 412) return new PreconditionFailed(key, store);
  const verdict = verdictOf(cause) ?? verdictOfUnknown(cause);
  const said = saidBy(failure);
  return verdict.outcome === 'waits'
    ? new StoreUnavailable(`Could not ${action} ${key} in ${store}: ${`${said}. ${verdict.remedy}`.trim()}`, { cause })
    : new StoreUnsuitable(`${store} refused to ${action} ${key} (${said}). ${verdict.remedy}`, { cause });
}

/** Of this machine's disk, or a fault of the program: nothing that a store has to do with. */
function isLocal({ path, syscall, name }: ServiceFailure): boolean {
  return (
    (path !== undefined && syscall !== undefined) || ['TypeError', 'RangeError', 'ReferenceError'].includes(name ?? '')
  );
}

function accessError(cause: unknown, action: string, key: string, store: string): Error {
  const { message = '' } = cause as ServiceFailure;
  const what = `${store} refused to ${action} ${key} (${nameOf(cause)}: ${message}).`;
  if (acceptedBefore.has(cause as object)) {
    return new CredentialsExpired(`${what} It accepted the credentials before: renew them.`, { cause });
  }
  const ofKey = /\bkms:/i.test(message) ? ' Those of the key that encrypts objects are among them.' : '';
  return new StoreAccessDenied(
    `${what} Check the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, a role) and their permissions.${ofKey}`,
    { cause },
  );
}

/** Code and message of a failure; the status, where there are none. */
function saidBy(failure: ServiceFailure): string {
  const { name = '', message = '', code } = failure;
  const status = statusOf(failure);
  if (failure.Code === undefined && status !== undefined) return `status ${status}`;
  const words = (message || 'no message').replace(/\.$/, '');
  const label = name === 'Error' || name === '' ? code : name;
  return label === undefined || words.includes(label) ? words : `${label}: ${words}`;
}
