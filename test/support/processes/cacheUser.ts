import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { DiskCache } from '../../../datasets/reader/diskCache.js';
import type { IndexedObject } from '../../../datasets/types.js';

/**
 * A process that reads objects through a cache it shares with others, as the test tells it on its command line:
 * JSON of the store's folder, the cache's folder and limit, and the objects. Prints a line an object.
 */
const { root, cache, limit, objects } = JSON.parse(process.argv[2]!) as {
  root: string;
  cache: string;
  limit: number;
  objects: IndexedObject[];
};
const store = directoryStore(root);
const shared = new DiskCache(cache, limit);
for (const object of objects) {
  await shared.get(store, 'data', object);
  process.stdout.write('.');
}
