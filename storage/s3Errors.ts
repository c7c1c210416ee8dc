import {
  ChecksumMismatch,
  ContentDamaged,
  InvalidKey,
  ObjectNotFound,
  PreconditionFailed,
  StoreAccessDenied,
  StoreUnsuitable,
} from './types.js';

/** What the SDK's errors have in common. */
interface ServiceFailure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const refused = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);

export function statusOf(cause: unknown): number | undefined {
  return (cause as ServiceFailure).$metadata?.httpStatusCode;
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
  if (name === 'NoSuchKey' || name === 'NotFound' || status === 404) return new ObjectNotFound(key, store);
  if (name === 'PreconditionFailed' || status === 412) return new PreconditionFailed(key, store);
  if (refused.has(name) || status === 401 || status === 403) {
    return new StoreAccessDenied(
      `${store} refused to ${action} ${key} (${name || status}: ${message}). ` +
        'Check the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, a role) and their permissions.',
      { cause },
    );
  }
  return new Error(`Could not ${action} ${key} in ${store}: ${name ? `${name}: ` : ''}${message || String(cause)}`, {
    cause,
  });
}
