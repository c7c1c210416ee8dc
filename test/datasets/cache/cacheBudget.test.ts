import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adoptCaches } from '../../../datasets/cache/adoptCaches.js';
import { DiskCache, sha256 } from '../../../datasets/cache/diskCache.js';
import type { CacheCounts } from '../../../datasets/cache/counts.js';
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
  const start = (own: readonly IndexedObject[], limit: number, how: { rounds?: number; pause?: number } = {}) => {
    const child = spawn(process.execPath, [user, JSON.stringify({ root, cache, limit, objects: own, ...how })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    return {
      child,
      ended: once(child, 'exit'),
      counts: () => JSON.parse(printed.slice(printed.indexOf('\n'))) as CacheCounts,
    };
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

  test('one process evicts what another reads: each gets every object whole, and what is used again and again stays', async (context) => {
    const { store, cache, objects, start } = await setUp(context, 200);
    const limit = 20 * size;
    // What is read every moment is never the oldest; what passes through pushes itself out.
    const reader = start(objects.slice(0, 5), limit, { rounds: 60, pause: 2 });
    await once(reader.child.stdout, 'data');
    const evictor = start(objects.slice(5), limit);
    for (const { ended } of [reader, evictor]) assert.deepEqual(await ended, [0, null]);
    const [read, evicted] = [reader.counts(), evictor.counts()];
    assert.equal(evicted.misses, 195);
    assert.ok(evicted.evicted + read.evicted >= 170, JSON.stringify([read, evicted]));
    assert.equal(read.hits + read.misses, 300);
    assert.ok(read.misses < 60, `${read.misses} of 300 were fetched anew`);
    assert.equal(evicted.evictedBytes, size * evicted.evicted);
    assert.ok((await bytesIn(cache)) <= limit + size);

    // Whoever has a file open reads it to its end.
    const shared = new DiskCache(cache, limit);
    await shared.get(store, 'data', objects[0]!);
    const name = objects[0]!.sha256;
    const file = await open(join(cache, name.slice(0, 2), name));
    for (const object of objects.slice(20)) await shared.get(store, 'data', object);
    await assert.rejects(stat(join(cache, name.slice(0, 2), name)), /ENOENT/);
    assert.equal(sha256(await file.readFile()), name);
    await file.close();
  });

  test('what no index has the hash of is kept by its ETag: another content, or another store, is another entry', async (context) => {
    const { store, cache } = await setUp(context, 2);
    const reader = new DiskCache(cache, 1e6);
    const versionOf = async (key: string, place = 'here') => ({ key, place, etag: (await store.head(key))!.etag });
    const first = await versionOf('data/0');
    const read = async (version: typeof first) => Buffer.from(await reader.getVersion(store, version)).toString();
    const text = await read(first);
    assert.equal(text.slice(0, 9), 'object 0 ');
    assert.equal(await read(first), text);
    assert.deepEqual([reader.counts.hits, reader.counts.misses], [1, 1]);
    await read({ ...first, place: 'there' });
    assert.equal(reader.counts.misses, 2);
    // An entry that is damaged on the disk is fetched again.
    for (const file of await cachedFiles(cache)) await writeFile(file, 'torn');
    assert.equal(await read(first), text);
    assert.equal(reader.counts.misses, 3);
    await store.put('data/0', Buffer.from('other'));
    assert.equal(await read(await versionOf('data/0')), 'other');
    // Asked for what it was, and evicted since: what it is now, which is not kept under the old name.
    for (const file of await cachedFiles(cache)) await rm(file);
    assert.equal(await read(first), 'other');
    assert.equal((await cachedFiles(cache)).length, 0);
  });

  test('what earlier versions cached for each run is taken over, within the limit; half-written files are not', async (context) => {
    const { store, cache, objects } = await setUp(context, 30);
    const runs = join(cache, '..', 'runs');
    for (const [run, from] of [
      ['one', 0],
      ['two', 10],
    ] as const) {
      const old = new DiskCache(join(runs, run, 'cache'), 1e6);
      for (const object of objects.slice(from, from + 20)) await old.get(store, 'data', object);
      await mkdir(join(runs, run, 'logs'), { recursive: true });
    }
    await writeFile(join(runs, 'one', 'cache', objects[0]!.sha256.slice(0, 2), `${objects[0]!.sha256}.left`), 'half');
    assert.equal(await adoptCaches(runs, cache, 1e6), 2);
    assert.equal(await adoptCaches(runs, cache, 1e6), 0);
    assert.deepEqual(await readdir(join(runs, 'one')), ['logs']);
    assert.equal((await cachedFiles(cache)).length, 30);
    const reader = new DiskCache(cache, 1e6);
    for (const object of objects) await reader.get(store, 'data', object);
    assert.deepEqual([reader.counts.hits, reader.counts.misses], [30, 0]);
    const again = new DiskCache(join(runs, 'three', 'cache'), 1e6);
    for (const object of objects) await again.get(store, 'data', object);
    await adoptCaches(runs, cache, 10 * size);
    assert.ok((await bytesIn(cache)) <= 10 * size);
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
    assert.equal(shared.counts.missBytes, size);
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
