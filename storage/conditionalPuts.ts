import { PreconditionFailed, StoreUnsuitable, type ObjectStore } from './types.js';

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
  throw new StoreUnsuitable(
    `${store.description} ignores conditional puts (If-Match, If-None-Match), by which a run's checkpoints are kept from ` +
      'being overwritten by a worker that was given up. Use S3, or a compatible store that heeds them (versitygw, MinIO, R2).',
  );
}
