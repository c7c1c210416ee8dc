import { isFinalForStore, persistently } from '../../storage/persistently.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';

/** What reading needs of a store. */
export type ReadableStore = Pick<ObjectStore, 'description' | 'get'>;

export interface PatientStoreOptions {
  readonly warn: (message: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; shorter in tests. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  /** Milliseconds without an answer after which that is told, and told again. */
  readonly patience?: number;
}

/**
 * A store that is read with patience: where it does not answer, answers 5xx, or refuses credentials that it took before
 * (CredentialsExpired), reading waits in its place and says so, and goes on when the store is back. An object that is not
 * there is told at once, as are credentials that never were accepted.
 */
export function patientStore(store: ObjectStore, options: PatientStoreOptions): ReadableStore {
  const { warn, signal, firstPause = 1_000, longestPause = 10_000, patience = 15_000 } = options;
  /** When the store was first missed; null while it answers. */
  let awaySince: number | null = null;
  let toldAt = -Infinity;

  /** Several reads wait at a time: one of them speaks. */
  const tell = (message: string): void => {
    const now = performance.now();
    awaySince ??= now;
    if (now - toldAt < Math.min(patience, longestPause) / 2) return;
    toldAt = now;
    warn(`${message} Reading has waited for ${seconds(now - awaySince)} s, and goes on when the store is back.`);
  };
  const isFinal = (cause: unknown): boolean => cause instanceof ObjectNotFound || isFinalForStore(cause);

  return {
    description: store.description,
    async get(key, { range, signal: own } = {}) {
      const ends = [signal, own].filter((end) => end !== undefined);
      const end = ends.length > 1 ? AbortSignal.any(ends) : ends[0];
      const began = performance.now();
      const watch = setInterval(() => {
        tell(`${store.description} has not answered for ${seconds(performance.now() - began)} s (${key}).`);
      }, patience);
      try {
        const found = await persistently(
          () => store.get(key, { ...(range && { range }), ...(end && { signal: end }) }),
          {
            what: `Reading ${key}`,
            warn: (message) => tell(`${message.replace(/\.?$/, '.')}`),
            signal: end,
            isFinal,
            firstPause,
            longestPause,
          },
        );
        answered();
        return found;
      } catch (cause) {
        if (cause instanceof ObjectNotFound) answered();
        throw cause;
      } finally {
        clearInterval(watch);
      }
    },
  };

  function answered(): void {
    if (awaySince === null) return;
    warn(`${store.description} answers again, after ${seconds(performance.now() - awaySince)} s.`);
    awaySince = null;
    toldAt = -Infinity;
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000);
}
