import { hash } from 'node:crypto';
import { keys } from '../../storage/keys.js';
import { ObjectNotFound, type ReadableStore } from '../../storage/types.js';
import { DatasetMissing, ObjectDamaged } from '../reader/errors.js';
import type { DatasetIndex, IndexedObject } from '../types.js';
import { parseIndex } from './indexFile.js';
import { indexInParts, type ReadObject } from './indexInParts.js';
import type { PackedIndex } from './packedIndex.js';
import { wholeIndex } from './wholeIndex.js';

/**
 * The index of a packed data set: a manifest, or, of data sets that were packed before, all of it.
 *
 * @param read an object of the data set, verified: through a cache, where there is one.
 * @returns null when nothing is packed under the name.
 * @throws FormatError
 */
export async function findIndex(
  store: ReadableStore,
  name: string,
  read: ReadObject = (object) => readVerified(store, keys.dataset(name), object),
): Promise<PackedIndex | null> {
  const file = keys.datasetIndex(name);
  try {
    const index = parseIndex((await store.get(file)).body, file);
    return 'bytes' in index ? indexInParts(index, read, file) : wholeIndex(index);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
}

/** @throws DatasetMissing when nothing is packed under the name; FormatError */
export async function openIndex(store: ReadableStore, name: string, read?: ReadObject): Promise<PackedIndex> {
  const index = await findIndex(store, name, read);
  if (index !== null) return index;
  throw new DatasetMissing(
    `There is no data set ${name} in ${store.description}: \`tempeh-flow start dataset\` fetches and packs it.`,
  );
}

/** All of an index, in memory. @throws as `openIndex` does. */
export async function readDatasetIndex(store: ReadableStore, name: string): Promise<DatasetIndex> {
  return (await openIndex(store, name)).whole();
}

/** @throws ObjectDamaged */
async function readVerified(store: ReadableStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
  const key = `${prefix}/${object.key}`;
  const { body } = await store.get(key);
  if (hash('sha256', body) === object.sha256) return body;
  const todo = 'pack the data set again (`tempeh-flow start dataset`)';
  throw new ObjectDamaged(`${key} in ${store.description} is not what the index says (${object.sha256}): ${todo}`);
}
