import assert from 'node:assert/strict';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeFrame } from '../../../datasets/reader/decodeFrame.js';
import { openDirectorySource } from '../../../datasets/reader/datasetDirectory.js';
import { DiskCache, sha256 } from '../../../datasets/cache/diskCache.js';
import { DatasetMissing, FrameUnreadable } from '../../../datasets/reader/errors.js';
import { openStoreSource } from '../../../datasets/reader/storeSource.js';
import type { DatasetIndex } from '../../../datasets/types.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { goldenDataset, goldenFolder, goldenFrames } from './goldenFolder.js';
import { packGolden } from './packedGolden.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const [first, second] = goldenFrames;

interface Packed {
  readonly store: ReturnType<typeof directoryStore>;
  readonly root: string;
  readonly index: DatasetIndex;
  readonly cacheFolder: string;
}

async function packed(): Promise<Packed> {
  const folder = temporaryFolder();
  const root = join(folder, 'store');
  const store = directoryStore(root);
  return { store, root, index: await packGolden(store, 'golden'), cacheFolder: join(folder, 'cache') };
}

/** Flips a bit of an object behind the store's back. */
async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

describe('a packed data set', () => {
  test('a packed data set gives the same samples as the folder that it was packed from', async () => {
    const { store, cacheFolder } = await packed();
    const source = await openStoreSource(store, 'golden', 'stereo', new DiskCache(cacheFolder, 1e9));
    const folder = await openDirectorySource(goldenFolder, goldenDataset, 'stereo');
    assert.deepEqual(await source.range('validation', 0, source.count('validation')), goldenFrames);
    assert.deepEqual(source.template, folder.template);
    assert.deepEqual(source.regions, folder.regions);
    for (const id of goldenFrames) {
      assert.deepEqual(
        await decodeFrame(id, await source.load('train', id), null, 8, 642),
        await decodeFrame(id, await folder.load('train', id), null, 8, 642),
      );
    }
  });

  test('what was read once comes from the disk, also for the next process', async () => {
    const { store, cacheFolder } = await packed();
    const open = async () => openStoreSource(store, 'golden', 'stereo', new DiskCache(cacheFolder, 1e9));
    const source = await open();
    await source.load('train', first);
    const once = source.bytesRead();
    assert.ok(once > 500_000);
    await source.load('train', first);
    assert.equal(source.bytesRead(), once);
    const again = await open();
    await again.load('train', first);
    assert.equal(again.bytesRead(), 0);
  });

  test('a name that nothing is packed under says what to do', async () => {
    const { store, cacheFolder } = await packed();
    await assert.rejects(
      openStoreSource(store, 'famos', 'stereo', new DiskCache(cacheFolder, 1e9)),
      (error: unknown) => error instanceof DatasetMissing && /famos.*tempeh-flow start dataset/.test(error.message),
    );
  });

  test('a damaged object is reported by frame and key, and the other frames are read', async () => {
    const { store, root, index, cacheFolder } = await packed();
    await damage(join(root, 'datasets/golden', index.splits.train[0]!.images.key));
    const source = await openStoreSource(store, 'golden', 'stereo', new DiskCache(cacheFolder, 1e9));
    await assert.rejects(source.load('train', first), (error: unknown) => {
      assert.ok(error instanceof FrameUnreadable, String(error));
      assert.deepEqual(error.frame, first);
      assert.match(error.message, /images\/subject_000\/seq_a\/000001\.tar.*SHA-256/);
      return true;
    });
    assert.equal((await source.load('train', second)).views.length, 4);
  });

  test('a missing object is reported by frame and key', async () => {
    const { store, index, cacheFolder } = await packed();
    await store.delete([`datasets/golden/${index.splits.train[0]!.scan!.key}`]);
    const source = await openStoreSource(store, 'golden', 'stereo', new DiskCache(cacheFolder, 1e9));
    await assert.rejects(
      source.load('train', first),
      (error: unknown) => error instanceof FrameUnreadable && /scans\/subject_000/.test(error.message),
    );
    await assert.rejects(
      source.load('train', { ...first, frame: '999999' }),
      (error: unknown) => error instanceof FrameUnreadable && /train list of data set golden/.test(error.message),
    );
  });
});

describe('the cache on disk', () => {
  test('a bit that flipped on the disk is noticed, and the object fetched again', async () => {
    const { store, index, cacheFolder } = await packed();
    const object = index.splits.train[0]!.images;
    const cache = new DiskCache(cacheFolder, 1e9);
    await cache.get(store, 'datasets/golden', object);
    await damage(join(cacheFolder, object.sha256.slice(0, 2), object.sha256));
    assert.equal(sha256(await cache.get(store, 'datasets/golden', object)), object.sha256);
    assert.equal(cache.counts.missBytes, 2 * object.size);
  });

  test('beyond its limit, what was not used for the longest time goes', async () => {
    const folder = temporaryFolder();
    const store = directoryStore(join(folder, 'store'));
    const cacheFolder = join(folder, 'cache');
    const objects = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const body = Buffer.alloc(1000, i);
        await store.put(`data/${i}`, body);
        return { key: String(i), size: body.length, sha256: sha256(body) };
      }),
    );
    const cache = new DiskCache(cacheFolder, 10_000);
    const pathOf = (i: number): string => join(cacheFolder, objects[i]!.sha256.slice(0, 2), objects[i]!.sha256);
    for (let i = 0; i < objects.length; i++) {
      await cache.get(store, 'data', objects[i]!);
      // The clock of the file system is coarse.
      await utimes(pathOf(i), i + 1, i + 1);
      // The first is used all the time.
      await cache.get(store, 'data', objects[0]!);
    }
    const files = (await readdir(cacheFolder, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));
    assert.ok(files.length <= 10 && files.length >= 8, `${files.length} files`);
    assert.equal(cache.counts.missBytes, 30_000);
    await stat(pathOf(0));
    await stat(pathOf(29));
    await assert.rejects(stat(pathOf(1)));
  });

  test('a disk that cannot be written costs the cache, not the run', async () => {
    const { store, index, cacheFolder } = await packed();
    await writeFile(cacheFolder, 'a file where the folder should be');
    const cache = new DiskCache(cacheFolder, 1e9);
    const object = index.splits.train[0]!.images;
    assert.equal(sha256(await cache.get(store, 'datasets/golden', object)), object.sha256);
  });
});
