import { PreconditionFailed, StoreUnsuitable, type ObjectStore } from './types.js';

/** What a run gives up with `storage.conditionalPuts: emulated`, of people. */
export const emulationLoses =
  'each condition is then looked up before the put, so that a worker that was given up is stopped only if it writes some ' +
  'milliseconds after the other; of two that write at once, the checkpoint of the one can replace that of the other';

/**
 * A store that knows no conditions, with those of puts looked up beforehand: what another writes between the look and the
 * put is overwritten.
 */
export function emulateConditions(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async put(key, body, { ifAbsent, ifMatch, ...options } = {}) {
      if (ifAbsent === true || ifMatch !== undefined) {
        const found = await store.head(key);
        const holds = ifAbsent === true ? found === null : found?.etag === ifMatch;
        if (!holds) throw new PreconditionFailed(key, store.description);
      }
      return store.put(key, body, options);
    },
  };
}

/**
 * Makes sure that a store heeds the conditions of puts: some S3-compatible ones accept and ignore them, and then two
 * workers could overwrite each other's checkpoints.
 *
 * @param key - of an object that is made and deleted again; nobody else's.
 * @throws StoreUnsuitable
 */
export async function checkConditionalPuts(store: ObjectStore, key: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await check(store, key);
    } catch (cause) {
      // Another attempt at the same work may clear it away, as something that was left behind.
      if (!(cause instanceof PreconditionFailed) || tries === 3) throw cause;
    }
  }
}

async function check(store: ObjectStore, key: string): Promise<void> {
  const [first, second] = [Buffer.from('first'), Buffer.from('second')];
  const isHeeded = async (put: Promise<unknown>): Promise<boolean> => {
    try {
      await put;
      return false;
    } catch (cause) {
      if (cause instanceof PreconditionFailed) return true;
      throw cause;
    }
  };
  try {
    const { etag } = await store.put(key, first);
    const absence = await isHeeded(store.put(key, second, { ifAbsent: true }));
    await store.put(key, second, absence ? { ifMatch: etag } : {});
    const match = await isHeeded(store.put(key, first, { ifMatch: etag }));
    if (absence && match) return;
  } finally {
    await store.delete([key]);
  }
  throw conditionsUnsupported(store.description, 'ignores');
}

/** The error that says what is missing, and the way out. */
export function conditionsUnsupported(store: string, how: 'ignores' | 'refuses', cause?: unknown): StoreUnsuitable {
  return new StoreUnsuitable(
    `${store} ${how} conditional puts (If-Match, If-None-Match), by which a run's checkpoints are kept from being ` +
      'overwritten by a worker that was given up. Use S3, or a compatible store that heeds them (versitygw, MinIO, R2); or ' +
      `set storage.conditionalPuts to "emulated": ${emulationLoses}.`,
    cause === undefined ? undefined : { cause },
  );
}
