import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DiskCache, sha256 } from '../../../datasets/reader/diskCache.js';
import type { IndexedObject } from '../../../datasets/types.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const size = 2000;
const user = fileURLToPath(new URL('../../support/processes/cacheUser.js', import.meta.url));

async function setUp(context: { after(work: () => Promise<void>): void }, count: number) {
  const folder = temporaryFolder();
  const [root, cache] = [join(folder, 'store'), join(folder, 'cache')];
  const store = directoryStore(root);
  const objects: IndexedObject[] = [];
  for (let i = 0; i < count; i++) {
    const body = Buffer.alloc(size, `object ${i} `);
    await store.put(`data/${i}`, body);
    objects.push({ key: String(i), size, sha256: sha256(body) });
  }
  const start = (own: readonly IndexedObject[], limit: number) => {
    const child = spawn(process.execPath, [user, JSON.stringify({ root, cache, limit, objects: own })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { child, ended: once(child, 'exit') };
  };
  return { store, cache, objects, start };
}

async function cachedFiles(cache: string): Promise<string[]> {
  const names = await readdir(cache, { recursive: true });
  return names.filter((name) => /^[0-9a-f]{2}.[0-9a-f]/.test(name)).map((name) => join(cache, name));
}

async function bytesIn(cache: string): Promise<number> {
  const sizes = await Promise.all((await cachedFiles(cache)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

describe('a cache that processes share', () => {
  test('the limit of a shared cache is that of all processes together: each for itself would stay below and never clean up', async (context) => {
    const { cache, objects, start } = await setUp(context, 60);
    const limit = 20 * size;
    // Six writers of 10 objects each; a tenth of the limit is two.
    const users = [0, 1, 2, 3, 4, 5].map((i) => start(objects.slice(10 * i, 10 * i + 10), limit));
    for (const { ended } of users) assert.deepEqual(await ended, [0, null]);
    const bytes = await bytesIn(cache);
    // What is written while one cleans up may be above: one object a writer.
    assert.ok(bytes <= limit + 6 * size, `${bytes} of ${limit}`);
    assert.ok(bytes >= 0.5 * limit, `${bytes} of ${limit}`);
  });

  test('users that are killed at any moment leave nothing that is taken for an object, and the next stay in the limit', async (context) => {
    const { store, cache, objects, start } = await setUp(context, 80);
    const limit = 20 * size;
    for (let round = 0; round < 3; round++) {
      const { child, ended } = start(objects.slice(20 * round), limit);
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await ended;
    }
    // What stands half-written for an hour, and a lock that a killed process holds for minutes, are no one's.
    const folder = join(cache, objects[0]!.sha256.slice(0, 2));
    const leftover = join(folder, `${objects[0]!.sha256}.left`);
    await mkdir(folder, { recursive: true });
    await writeFile(leftover, Buffer.alloc(size));
    const lock = join(cache, '.cleaning');
    await writeFile(lock, '1');
    for (const path of [leftover, lock]) await utimes(path, 1, 1);
    const { ended } = start(objects, limit);
    assert.deepEqual(await ended, [0, null]);
    await assert.rejects(stat(leftover), /ENOENT/);
    const bytes = await bytesIn(cache);
    assert.ok(bytes <= limit + size, `${bytes} of ${limit}`);
    for (const file of await cachedFiles(cache)) {
      // `SHA256.UUID` is being written, or was when its writer was killed.
      if (/^[0-9a-f]{64}$/.test(basename(file))) assert.equal(sha256(await readFile(file)), basename(file));
    }
    const reader = new DiskCache(cache, limit);
    for (const object of objects) assert.equal(sha256(await reader.get(store, 'data', object)), object.sha256);
  });

  test('a lower limit than before is brought about by the first object', async (context) => {
    const { store, cache, objects } = await setUp(context, 30);
    const large = new DiskCache(cache, 1e6);
    for (const object of objects.slice(1)) await large.get(store, 'data', object);
    const small = new DiskCache(cache, 10 * size);
    await small.get(store, 'data', objects[0]!);
    assert.ok((await bytesIn(cache)) <= 10 * size);
  });

  test('what two ask for at a time is read once', async (context) => {
    const { store, cache, objects } = await setUp(context, 1);
    const shared = new DiskCache(cache, 1e6);
    const [one, two] = await Promise.all([1, 2].map(() => shared.get(store, 'data', objects[0]!)));
    assert.deepEqual(one, two);
    assert.equal(shared.bytesFetched, size);
  });

  test('an object that is not there yet is asked for again', async (context) => {
    const { store, cache, objects } = await setUp(context, 1);
    const body = (await store.get('data/0')).body;
    await store.delete(['data/0']);
    const reading = new DiskCache(cache, 1e6).get(store, 'data', objects[0]!);
    setTimeout(() => void store.put('data/0', body), 100);
    assert.deepEqual(Buffer.from(await reading), Buffer.from(body));
  });
});
