/** What a store knows about an object. */
export interface ObjectInformation {
  readonly key: string;
  readonly size: number;
  /** Changes whenever the content does; what conditional puts compare. */
  readonly etag: string;
  readonly modified: Date;
}

export interface PutOptions {
  /** Written only if the object still has this ETag; else `PreconditionFailed`. */
  readonly ifMatch?: string;
  /** Written only if there is no such object; else `PreconditionFailed`. */
  readonly ifAbsent?: boolean;
  /** Hex SHA-256 of the content: the store refuses a body that differs. */
  readonly sha256?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Bytes from `start` (included) to `end` (excluded); what lies beyond the object's end is left out. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface GetOptions {
  readonly range?: ByteRange;
  /** The caller compares the content with a hash of its own: the store's checksums would be work for nothing. */
  readonly verifiedByCaller?: boolean;
  readonly signal?: AbortSignal;
}

/** Where a store is: the part of a run's configuration that this room needs to know. Credentials are never in it. */
export type StoreConfiguration =
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Before every key; empty or ending in a slash. */
      readonly prefix: string;
      /** null: what the environment says, or AWS itself. */
      readonly endpoint: string | null;
      readonly region: string;
      readonly forcePathStyle: boolean;
      readonly requestChecksums: 'always' | 'when-required';
      /** As `required` where it is not set, as in what runs of earlier versions were started with. */
      readonly conditionalPuts?: 'required' | 'emulated' | undefined;
      /** How the store encrypts what is written; if absent, as the bucket is set to. */
      readonly encryption?:
        | {
            readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
            readonly kmsKey?: string | undefined;
            readonly bucketKey?: boolean | undefined;
          }
        | undefined;
      /** What every object is tagged with. */
      readonly tags?: Readonly<Record<string, string>> | undefined;
      /** Storage class of every object. */
      readonly storageClass?: string | undefined;
    }
  | { readonly kind: 'directory'; readonly path: string };

/** What a store calls while it waits for credentials to be renewed, and what ends the waiting. */
export interface StoreListener {
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** An upload that was begun and not ended, of a process that was killed: it takes room, and no list of objects shows it. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly id: string;
}

/** Objects under keys: S3, or a directory. Keys never nest (`a` and `a/b` do not coexist). Reads are consistent with writes. */
export interface ObjectStore {
  /** Human-readable: `s3://bucket/prefix` or a path. No credential. */
  readonly description: string;
  /** @throws ObjectNotFound, ContentDamaged where the store keeps checksums */
  get(key: string, options?: GetOptions): Promise<{ body: Uint8Array; information: ObjectInformation }>;
  /** Streams into a file, which appears whole or not at all. @throws ObjectNotFound */
  download(key: string, path: string, options?: { signal?: AbortSignal }): Promise<ObjectInformation>;
  /** A body, or a file streamed from disk (in parts where it is large). @throws PreconditionFailed */
  put(key: string, body: Uint8Array | { readonly path: string }, options?: PutOptions): Promise<ObjectInformation>;
  /** null if there is none. */
  head(key: string): Promise<ObjectInformation | null>;
  list(prefix: string): AsyncIterable<ObjectInformation>;
  /** Missing keys are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Those of keys with a prefix; in a directory, where what is being written has no key, those of processes that are gone. */
  unfinishedUploads(prefix: string): Promise<UnfinishedUpload[]>;
  /** With what had arrived of them. One that has ended meanwhile is no error. */
  abandonUploads(uploads: readonly UnfinishedUpload[]): Promise<void>;
}

/** What reading needs of a store. */
export type ReadableStore = Pick<ObjectStore, 'description' | 'get'>;

/** Thrown when a key has no object. */
export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';
  constructor(
    readonly key: string,
    readonly store: string,
  ) {
    super(`There is no object ${key} in ${store}.`);
  }
}

/** Thrown by a conditional put that lost: someone else wrote the object first. */
export class PreconditionFailed extends Error {
  override readonly name = 'PreconditionFailed';
  constructor(
    readonly key: string,
    readonly store: string,
  ) {
    super(`The object ${key} in ${store} was changed by someone else.`);
  }
}

/** Thrown when the store refuses the credentials, or they lack a permission: not worth a retry. */
export class StoreAccessDenied extends Error {
  override readonly name = 'StoreAccessDenied';
}

/**
 * Thrown when the store refuses credentials that it accepted before, and nobody waits for their renewal: it passes when they
 * are renewed.
 */
export class CredentialsExpired extends Error {
  override readonly name = 'CredentialsExpired';
}

/** Thrown when a store does not answer, or answers that it cannot just now: waiting helps. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** Thrown when the bucket is not there, or the store cannot do what the program relies on: the configuration is wrong. */
export class StoreUnsuitable extends Error {
  override readonly name = 'StoreUnsuitable';
}

/** Thrown when a body's SHA-256 is not the one that was promised: nothing was written. */
export class ChecksumMismatch extends Error {
  override readonly name = 'ChecksumMismatch';
  constructor(
    readonly key: string,
    readonly store: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`The content of ${key} for ${store} has SHA-256 ${found}; ${expected} was expected. Nothing was written.`);
  }
}

/** Thrown when a store answers with content whose checksum is not the one it was stored with, however often it is asked. */
export class ContentDamaged extends Error {
  override readonly name = 'ContentDamaged';
  constructor(
    readonly key: string,
    readonly store: string,
    readonly reason: string,
  ) {
    super(`The content of ${key} in ${store} is not what was written (${reason}).`);
  }
}

/** Thrown for a key that no store can hold: empty parts, `.` or `..`, a leading or trailing slash. */
export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
  constructor(readonly key: string) {
    super(`"${key}" is not an object key: expected names joined by single slashes, none of them "." or "..".`);
  }
}

/** All of the errors above: what a store of ours may throw. */
export const storeErrors = [
  ChecksumMismatch,
  ContentDamaged,
  CredentialsExpired,
  InvalidKey,
  ObjectNotFound,
  PreconditionFailed,
  StoreAccessDenied,
  StoreUnavailable,
  StoreUnsuitable,
] as const;
