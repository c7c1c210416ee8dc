import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLease } from '../../storage/lease.js';
import { ChecksumMismatch, InvalidKey, ObjectNotFound, PreconditionFailed } from '../../storage/types.js';
import type { ObjectStore } from '../../storage/types.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found.sort();
}

/** What every store promises; `open` gives an empty one. */
export function describeStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(name, async () => {
    const store = await open();
    const folder = temporaryFolder();

    test('what was put is got, whole and in ranges', async () => {
      const { size, etag } = await store.put('a/one', text('0123456789'));
      assert.equal(size, 10);
      const whole = await store.get('a/one');
      assert.deepEqual(whole.body, text('0123456789'));
      assert.equal(whole.information.etag, etag);
      const part = await store.get('a/one', { range: { start: 3, end: 6 } });
      assert.deepEqual(part.body, text('345'));
      assert.equal(part.information.size, 10, 'the size of the object, not of the part');
      assert.deepEqual((await store.get('a/one', { range: { start: 8, end: 99 } })).body, text('89'));
      assert.equal((await store.get('a/one', { range: { start: 50, end: 99 } })).body.length, 0);
    });

    test('an empty object is an object', async () => {
      await store.put('a/empty', new Uint8Array(0));
      assert.equal((await store.get('a/empty')).body.length, 0);
      assert.equal((await store.head('a/empty'))?.size, 0);
    });

    test('a missing object is distinguished from a broken store', async () => {
      await assert.rejects(store.get('a/none'), ObjectNotFound);
      await assert.rejects(store.download('a/none', join(folder, 'none')), ObjectNotFound);
      assert.equal(await store.head('a/none'), null);
      assert.deepEqual(await readdir(folder), [], 'a failed download leaves nothing behind');
    });

    test('a changed object has another ETag, also of equal size', async () => {
      const first = await store.put('a/changing', text('one'));
      const second = await store.put('a/changing', text('two'));
      assert.notEqual(first.etag, second.etag);
      assert.equal((await store.head('a/changing'))?.etag, second.etag);
    });

    test('a conditional put wins once', async () => {
      const first = await store.put('a/conditional', text('1'), { ifAbsent: true });
      await assert.rejects(store.put('a/conditional', text('2'), { ifAbsent: true }), PreconditionFailed);
      const second = await store.put('a/conditional', text('3'), { ifMatch: first.etag });
      await assert.rejects(store.put('a/conditional', text('4'), { ifMatch: first.etag }), PreconditionFailed);
      const { body, information } = await store.get('a/conditional');
      assert.deepEqual(body, text('3'));
      assert.equal(information.etag, second.etag);
      await assert.rejects(store.put('a/never', text('5'), { ifMatch: first.etag }), PreconditionFailed);
    });

    test('of many writers that read the same version, one succeeds', async () => {
      let { etag } = await store.put('a/raced', text('start'), { ifAbsent: true });
      for (let round = 0; round < 5; round++) {
        const read = etag;
        const attempts = await Promise.allSettled(
          Array.from({ length: 12 }, (_, writer) =>
            store.put('a/raced', text(`${round}-${10 + writer}`), { ifMatch: read }),
          ),
        );
        const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
        assert.equal(won.length, 1, `round ${round}`);
        etag = won[0]!.value.etag;
        for (const attempt of attempts) {
          if (attempt.status === 'rejected')
            assert.ok(attempt.reason instanceof PreconditionFailed, String(attempt.reason));
        }
        assert.equal((await store.head('a/raced'))?.etag, etag);
      }
    });

    test('what is read beside a write is one version or the other, with its own ETag', async () => {
      const tags = new Map<string, string>();
      const write = async (content: string, options: object): Promise<string> => {
        const { etag } = await store.put('a/read-beside', text(content), options);
        tags.set(etag, content);
        return etag;
      };
      let etag = await write('version 0', { ifAbsent: true });
      let isWriting = true;
      const read: { content: string; etag: string }[] = [];
      const reading = Array.from({ length: 4 }, async () => {
        while (isWriting) {
          const { body, information } = await store.get('a/read-beside');
          read.push({ content: new TextDecoder().decode(body), etag: information.etag });
        }
      });
      for (let version = 1; version <= 30; version++) etag = await write(`version ${version} `, { ifMatch: etag });
      isWriting = false;
      await Promise.all(reading);
      assert.ok(read.length > 0);
      for (const { content, etag } of read) assert.equal(content, tags.get(etag));
    });

    test('a lease is held by one at a time, given back, and taken over from who gives no sign of life', async () => {
      let holders = 0;
      const waited: string[] = [];
      const options = { onWait: (holder: string) => void waited.push(holder), renewSeconds: 0.5 };
      const held = async (): Promise<number> => {
        assert.equal(++holders, 1);
        await sleep(100);
        return holders--;
      };
      await Promise.all([1, 2, 3].map(() => withLease(store, 'a/lease', options, held)));
      assert.equal(await store.head('a/lease'), null);
      assert.match(waited[0] ?? '', new RegExp(`process ${process.pid} on `));
      await store.put('a/lease', text(JSON.stringify({ holder: 'a process that was killed' })), { ifAbsent: true });
      const before = performance.now();
      assert.equal(await withLease(store, 'a/lease', options, held), 1);
      assert.ok(performance.now() - before >= 2000);
      assert.equal(waited.at(-1), 'a process that was killed');
      // Longer than what counts as silence, on a busy machine too.
      const patient = { ...options, renewSeconds: 1 };
      const long = withLease(store, 'a/lease', patient, () => sleep(5000).then(held));
      await sleep(200);
      await Promise.all([long, withLease(store, 'a/lease', patient, held)]);
      await assert.rejects(
        withLease(store, 'a/lease', options, () => Promise.reject(new Error('work'))),
        /work/,
      );
      assert.equal(await store.head('a/lease'), null);
    });

    test('a body that is not what was promised is refused, and not visible', async () => {
      const body = text('content');
      await store.put('a/checked', body, { sha256: sha256(body) });
      await assert.rejects(store.put('a/wrong', body, { sha256: sha256(text('other')) }), ChecksumMismatch);
      assert.equal(await store.head('a/wrong'), null);
    });

    test('large files travel in both directions', async () => {
      const body = randomBytes(12 * 2 ** 20 + 17);
      const source = join(folder, 'large');
      const target = join(folder, 'deeper', 'copy');
      await writeFile(source, body);
      const { size, etag } = await store.put('b/large', { path: source }, { sha256: sha256(body), ifAbsent: true });
      assert.equal(size, body.length);
      assert.equal((await store.head('b/large'))?.etag, etag);
      await store.download('b/large', target);
      assert.equal(sha256(await readFile(target)), sha256(body));
      await assert.rejects(store.put('b/large', { path: source }, { ifAbsent: true }), PreconditionFailed);
      await assert.rejects(store.put('b/bad', { path: source }, { sha256: sha256(text('x')) }), ChecksumMismatch);
      assert.deepEqual(await keysOf(store, 'b/'), ['b/large']);
    });

    test('lists go beyond a page and keep to their prefix', async () => {
      const names = Array.from({ length: 23 }, (_, index) => `many/item-${String(index).padStart(4, '0')}`);
      for (let first = 0; first < names.length; first += 8) {
        await Promise.all(names.slice(first, first + 8).map((key) => store.put(key, text('x'))));
      }
      await store.put('many-others/item', text('x'));
      assert.deepEqual(await keysOf(store, 'many/'), names);
      assert.deepEqual(await keysOf(store, 'many/item-002'), names.slice(20));
      assert.deepEqual(await keysOf(store, 'nothing/'), []);
      await store.delete([...names, 'many/never-there']);
      assert.deepEqual(await keysOf(store, 'many'), ['many-others/item']);
    });

    test('keys cannot leave the store', async () => {
      for (const key of ['../outside', '/absolute', 'a//b', 'a/./b', '', 'a/']) {
        await assert.rejects(store.put(key, text('x')), InvalidKey, key);
        await assert.rejects(store.get(key), InvalidKey, key);
      }
    });

    test('an aborted put writes nothing', async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(store.put('a/aborted', text('x'), { signal }));
      assert.equal(await store.head('a/aborted'), null);
    });
  });
}
