import assert from 'node:assert/strict';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { describeStore } from './storeContract.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const root = temporaryFolder();

describeStore('a directory', async () => directoryStore(join(root, 'store')));

test('a lock that a killed process left behind is no obstacle', async () => {
  const folder = join(root, 'locked');
  const store = directoryStore(folder);
  const { etag } = await store.put('manifest.json', new Uint8Array([1]));
  await mkdir(join(folder, '.locks'), { recursive: true });
  const lock = join(folder, '.locks', createHash('sha256').update('manifest.json').digest('hex'));
  // No process has this number: it is above the kernel's limit.
  await writeFile(lock, JSON.stringify({ host: hostname(), process: 2 ** 30 }));
  await store.put('manifest.json', new Uint8Array([2]), { ifMatch: etag });
  assert.deepEqual((await store.get('manifest.json')).body, new Uint8Array([2]));
});

test('a lock is not taken from who holds it because a clock says that it is old', async () => {
  const folder = join(root, 'jumped');
  const store = directoryStore(folder);
  const { etag } = await store.put('manifest.json', new Uint8Array([1]));
  await mkdir(join(folder, '.locks'), { recursive: true });
  const lock = join(folder, '.locks', createHash('sha256').update('manifest.json').digest('hex'));
  await writeFile(lock, JSON.stringify({ host: hostname(), process: process.pid }));
  // An hour ago, by a clock that has been set since.
  const hourAgo = Date.now() / 1000 - 3600;
  await utimes(lock, hourAgo, hourAgo);
  let done = false;
  const put = store.put('manifest.json', new Uint8Array([2]), { ifMatch: etag }).finally(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(done, false);
  await rm(lock);
  await put;
});

test('what is being written is neither listed nor left behind', async () => {
  const folder = join(root, 'clean');
  const store = directoryStore(folder);
  await store.put('a', new Uint8Array([1]), { sha256: 'ff' }).catch(() => undefined);
  await store.put('b', new Uint8Array([1]));
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  assert.deepEqual(keys, ['b']);
  assert.deepEqual(await readdir(join(folder, '.temporary')), []);
});

test('what a killed process was writing is found and removed, what a living one writes is not', async () => {
  const folder = join(root, 'killed');
  const store = directoryStore(folder);
  await store.put('a', new Uint8Array([1]));
  const names = [2 ** 30, process.pid].map((id) => `${hostname()}.${id}.${randomUUID()}`);
  for (const name of names) await writeFile(join(folder, '.temporary', name), 'half');
  await store.abandonUploads(await store.unfinishedUploads(''));
  assert.deepEqual(await readdir(join(folder, '.temporary')), [names[1]]);
});
