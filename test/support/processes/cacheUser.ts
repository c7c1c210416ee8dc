import { setTimeout as sleep } from 'node:timers/promises';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { DiskCache, sha256 } from '../../../datasets/cache/diskCache.js';
import type { IndexedObject } from '../../../datasets/types.js';

/**
 * A process that reads objects through a cache it shares with others, as the test tells it on its command line:
 * JSON of the store's folder, the cache's folder and limit, the objects, how often it reads them, and the milliseconds
 * between. Prints a point an object, and in the end what its cache did.
 */
const {
  root,
  cache,
  limit,
  objects,
  rounds = 1,
  pause = 0,
} = JSON.parse(process.argv[2]!) as {
  root: string;
  cache: string;
  limit: number;
  objects: IndexedObject[];
  rounds?: number;
  pause?: number;
};
const store = directoryStore(root);
const shared = new DiskCache(cache, limit);
for (let round = 0; round < rounds; round++) {
  for (const object of objects) {
    const body = await shared.get(store, 'data', object);
    if (sha256(body) !== object.sha256) throw new Error(`${object.key} is not what was stored`);
    process.stdout.write('.');
    if (pause > 0) await sleep(pause);
  }
}
process.stdout.write(`\n${JSON.stringify(shared.counts)}\n`);
