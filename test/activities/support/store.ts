import { openStore } from '../../../storage/openStore.js';
import type { ObjectStore } from '../../../storage/types.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

/** An empty object store in a temporary folder. */
export function emptyStore(): ObjectStore {
  return openStore({ kind: 'directory', path: temporaryFolder() });
}

export async function putJson(store: ObjectStore, key: string, value: unknown): Promise<void> {
  await store.put(key, Buffer.from(JSON.stringify(value)));
}

export async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys.sort();
}
