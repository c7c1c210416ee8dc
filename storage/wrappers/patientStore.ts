import { isFinalForStore, persistently } from '../async/persistently.js';
import { ObjectNotFound, PreconditionFailed, type ObjectInformation, type ObjectStore } from '../types.js';

/** What a patient store reports while it waits, and what ends its waiting. */
export interface PatientStoreOptions {
  readonly warn: (message: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; shorter in tests. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  /** Milliseconds without an answer after which that is reported, again and again. */
  readonly patience?: number;
}

/**
 * A store that is used with patience: where it does not answer, answers 5xx, or refuses credentials that it accepted before
 * (CredentialsExpired), a request waits in its place and says so, and goes on when the store is back. A missing object is
 * reported at once, as are credentials that never were accepted.
 *
 * What cannot simply be done again is not: a put with a condition, whose answer may have been lost, and the transfer of a
 * file, which may fail for the file's sake.
 */
export function patientStore(store: ObjectStore, options: PatientStoreOptions): ObjectStore {
  const { warn, signal, firstPause = 1_000, longestPause = 10_000, patience = 5_000 } = options;
  /** When the store was first missed; null while it answers. */
  let awaySince: number | null = null;
  let toldAt = -Infinity;

  /** Several requests wait at a time: one of them reports it. */
  const tell = (message: string): void => {
    const now = performance.now();
    awaySince ??= now;
    if (now - toldAt < Math.min(patience, longestPause) / 2) return;
    toldAt = now;
    warn(`${message.replace(/\.?$/, '.')} It goes on when the store is back.`);
  };
  const answered = (): void => {
    if (awaySince === null) return;
    warn(`${store.description} answers again, after ${Math.round((performance.now() - awaySince) / 1000)} s.`);
    awaySince = null;
    toldAt = -Infinity;
  };
  /** Answers of a store that is there. */
  const isAnswer = (cause: unknown): boolean => cause instanceof ObjectNotFound || cause instanceof PreconditionFailed;
  const patiently = async <T>(what: string, work: () => Promise<T>, end = signal): Promise<T> => {
    try {
      const isFinal = (cause: unknown): boolean => isAnswer(cause) || isFinalForStore(cause);
      const found = await persistently(work, {
        what,
        warn: tell,
        signal: end,
        isFinal,
        firstPause,
        longestPause,
        patience,
      });
      answered();
      return found;
    } catch (cause) {
      if (isAnswer(cause)) answered();
      throw cause;
    }
  };
  const either = (own: AbortSignal | undefined): AbortSignal | undefined =>
    own !== undefined && signal !== undefined ? AbortSignal.any([signal, own]) : (own ?? signal);

  return {
    description: store.description,
    async get(key, { signal: own, ...given } = {}) {
      const end = either(own);
      const request = { ...given, ...(end && { signal: end }) };
      return patiently(`Reading ${key}`, () => store.get(key, request), end);
    },
    async put(key, body, given = {}) {
      const isOnce = !(body instanceof Uint8Array) || given.ifMatch !== undefined || given.ifAbsent === true;
      if (isOnce) return store.put(key, body, given);
      // What is being written is finished, even after a request to stop.
      return patiently(`Writing ${key}`, () => store.put(key, body, given), either(given.signal));
    },
    download: (key, path, given) => store.download(key, path, given),
    head: (key) => patiently(`Looking for ${key}`, () => store.head(key)),
    async *list(prefix) {
      yield* await patiently(`Listing ${prefix}`, async () => {
        const found: ObjectInformation[] = [];
        for await (const information of store.list(prefix)) found.push(information);
        return found;
      });
    },
    delete: (keys) => patiently(`Deleting ${keys[0] ?? 'nothing'}`, () => store.delete(keys)),
    unfinishedUploads: (prefix) => patiently(`Listing uploads of ${prefix}`, () => store.unfinishedUploads(prefix)),
    abandonUploads: (uploads) => patiently('Abandoning uploads', () => store.abandonUploads(uploads)),
  };
}
