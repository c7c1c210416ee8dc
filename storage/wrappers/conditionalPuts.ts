import { setTimeout as sleep } from 'node:timers/promises';
import { withCleanUp } from '../async/cleanUp.js';
import { jittered } from '../async/persistently.js';
import { PreconditionFailed, StoreUnsuitable, type ObjectStore } from '../types.js';

/** What a run gives up with `storage.conditionalPuts: emulated`; human-readable. */
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
 * @param key of an object that is made and deleted again. The same for every attempt at the same work: where it cannot be
 *   deleted, no more than one remains.
 * @throws StoreUnsuitable
 */
export async function checkConditionalPuts(store: ObjectStore, key: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await check(store, key);
    } catch (cause) {
      if (!(cause instanceof PreconditionFailed)) throw cause;
      // Another attempt at the same work may have written it, or cleared it away as something that was left behind.
      if (tries === 3) throw conditionsUnsupported(store.description, 'mistakes', cause);
      await sleep(jittered(200));
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
  await withCleanUp(
    async () => {
      const { etag } = await store.put(key, first);
      const absence = await isHeeded(store.put(key, second, { ifAbsent: true }));
      await store.put(key, second, absence ? { ifMatch: etag } : {});
      const match = await isHeeded(store.put(key, first, { ifMatch: etag }));
      if (!absence || !match) throw conditionsUnsupported(store.description, 'ignores');
    },
    () => store.delete([key]),
  );
}

const behaviours = {
  ignores: 'ignores conditional puts',
  refuses: 'refuses conditional puts',
  mistakes: 'does not recognise its own ETags in conditional puts',
} as const;

/** The error that says what is missing, and the way out. */
export function conditionsUnsupported(store: string, how: keyof typeof behaviours, cause?: unknown): StoreUnsuitable {
  return new StoreUnsuitable(
    `${store} ${behaviours[how]} (If-Match, If-None-Match), by which a run's checkpoints are kept from being ` +
      'overwritten by a worker that was given up. Use S3, or a compatible store that heeds them (versitygw, MinIO, R2); or ' +
      `set storage.conditionalPuts to "emulated": ${emulationLoses}.`,
    cause === undefined ? undefined : { cause },
  );
}
