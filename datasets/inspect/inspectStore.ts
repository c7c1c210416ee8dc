import { basename } from 'node:path';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { readDatasetIndex } from '../index/openIndex.js';
import { objectsOf } from '../index/packedIndex.js';
import type { DiskCache } from '../cache/diskCache.js';
import { placeOf } from '../reader/inPlace.js';
import { openStoreSource } from '../reader/storeSource.js';
import type { Split } from '../types.js';
import type { FrameTrouble, InspectedFrame, InspectOptions, Inspection } from './types.js';

/**
 * A packed data set by its index and by what the store lists: every object has to be there, with its size.
 *
 * @param cache what is read goes through it: a fresh one, if the store is to be checked rather than the cache.
 * @throws DatasetMissing, FormatError of the index, the template or its masks
 */
export async function inspectStore(store: ObjectStore, cache: DiskCache, options: InspectOptions): Promise<Inspection> {
  const { dataset, onProgress, signal } = options;
  const index = await readDatasetIndex(store, dataset.name);
  const source = await openStoreSource(
    store,
    dataset.name,
    'all',
    cache,
    dataset.source ? placeOf({ ...dataset, source: dataset.source }) : null,
  );
  const prefix = `${keys.dataset(dataset.name)}/`;
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(prefix)) {
    signal?.throwIfAborted();
    sizes.set(key.slice(prefix.length), size);
    if (sizes.size % 1000 === 0) onProgress?.({ what: 'listing objects', done: sizes.size, total: null });
  }
  const frames: InspectedFrame[] = [];
  const unusable: FrameTrouble[] = [...index.unusable];
  const calibrations = new Map<string, number>();
  for (const split of Object.keys(index.splits) as Split[]) {
    for (const frame of index.splits[split]) {
      const { id, images, scan, registration } = frame;
      const stored = index.inPlace === true ? [] : objectsOf(frame);
      const bad = stored.find(({ key, size }) => sizes.get(key) !== size);
      if (bad) {
        const found = sizes.get(bad.key);
        const how = found === undefined ? 'is not in the store' : `has ${found} bytes, the index says ${bad.size}`;
        unusable.push({ split, id, reason: `the object ${prefix}${bad.key} ${how}` });
        continue;
      }
      for (const { key, size } of frame.calibrations) calibrations.set(key, size);
      frames.push({
        split,
        id,
        views: frame.calibrations.map(({ key }) => basename(key, '.tka')),
        bytes: { images: images.size, scans: scan?.size ?? 0, registrations: registration?.size ?? 0 },
      });
    }
  }
  const calibrationBytes = [...calibrations.values()].reduce((sum, size) => sum + size, 0);
  const { storedResizeFactor, incomplete = [] } = index;
  return { source, storedResizeFactor, frames, unusable, incomplete, calibrationBytes, layoutHints: [] };
}
