import {
  ChecksumMismatch,
  ContentDamaged,
  CredentialsExpired,
  InvalidKey,
  ObjectNotFound,
  PreconditionFailed,
  StoreAccessDenied,
  StoreUnavailable,
  StoreUnsuitable,
} from './types.js';

/** What the SDK's errors have in common. */
interface ServiceFailure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

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
  // Of versitygw, with status 404: the access key is not known.
  'XAdminUserNotFound',
]);

/** Refusals that may as well be a missing permission. */
const denied = new Set(['AccessDenied', 'AccessDeniedException', 'AllAccessDisabled']);

export function statusOf(cause: unknown): number | undefined {
  return (cause as ServiceFailure).$metadata?.httpStatusCode;
}

/** Of an error of the SDK: its code; its status where it has none (the answer to a HEAD has no body). */
export function nameOf(cause: unknown): string {
  const { name = '' } = cause as ServiceFailure;
  return ['', 'Error', 'Unknown', 'UnknownError'].includes(name) ? String(statusOf(cause) ?? name) : name;
}

export function isExpired(cause: unknown): boolean {
  return expired.has(nameOf(cause)) || statusOf(cause) === 401;
}

export function isRefusal(cause: unknown): boolean {
  return isExpired(cause) || denied.has(nameOf(cause)) || statusOf(cause) === 403;
}

/** Whether the SDK sent the request more than once: the first may have been carried out and its answer lost. */
export function wasRetried(cause: unknown): boolean {
  return ((cause as ServiceFailure).$metadata?.attempts ?? 1) > 1;
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

/** Remembers of a refusal that its credentials had been accepted. */
export function markAcceptedBefore(cause: unknown): void {
  if (typeof cause === 'object' && cause !== null) acceptedBefore.add(cause);
}

/** The SDK's error as one of the store's own, or as one that says what was done to which object. */
export function storeError(cause: unknown, action: string, key: string, store: string): Error {
  if (cause instanceof InvalidKey || cause instanceof ChecksumMismatch) return cause;
  const { name = '', message = '' } = cause as ServiceFailure;
  const status = statusOf(cause);
  if (name === 'AbortError' && cause instanceof Error) return cause;
  if (name === 'NoSuchBucket') {
    return new StoreUnsuitable(
      `The bucket of ${store} does not exist. Create it, or correct storage.bucket and storage.endpoint.`,
      {
        cause,
      },
    );
  }
  if (action === 'read' && isChecksumMismatch(cause)) return new ContentDamaged(key, store, message);
  if (isRefusal(cause)) {
    const what = `${store} refused to ${action} ${key} (${nameOf(cause)}: ${message}).`;
    if (acceptedBefore.has(cause as object)) {
      return new CredentialsExpired(`${what} It took the credentials before: renew them.`, { cause });
    }
    return new StoreAccessDenied(
      `${what} Check the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, a role) and their permissions.`,
      { cause },
    );
  }
  if (name === 'NoSuchKey' || name === 'NotFound' || status === 404) return new ObjectNotFound(key, store);
  if (name === 'PreconditionFailed' || status === 412) return new PreconditionFailed(key, store);
  // The answer to a HEAD has no words.
  const isBare = /^Unknown(Error)?$/.test(name) && status !== undefined;
  const why = isBare ? `status ${status}` : `${name ? `${name}: ` : ''}${message || String(cause)}`;
  return new StoreUnavailable(`Could not ${action} ${key} in ${store}: ${why}`, { cause });
}
