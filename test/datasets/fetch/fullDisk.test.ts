import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallDisk } from '../../support/smallDisk.js';
import { assertSame, fileSize, paths, quick, root, withHost } from './support/fetching.js';

const disk = await smallDisk('1m');

test('too small a disk shows before anything is fetched, with what is needed and for what', async () => {
  await withHost({}, async ({ host, fetchIt }) => {
    const alsoNeeded = [{ directory: root, bytes: 5e9, purpose: 'what is extracted from them (at least)' }];
    await assert.rejects(fetchIt({ alsoNeeded, free: async () => 3e9 }), {
      name: 'DiskFull',
      message: /the volumes of test-data 1\.8 MB in .*extracted from them \(at least\) 5\.0 GB.*it has 3\.0 GB free/,
    });
    const sent = host.records.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(sent < 100, `${sent} bytes`);
  });
});

test('a fetch while others fill the disk stops before the last byte is taken, and goes on with what is there', async () => {
  const faults = () => ({ kind: 'slow', bytesPerSecond: 50_000 }) as const;
  await withHost({ faults }, async ({ source, directory, fetchIt }) => {
    let room = 1e12;
    const stopped = fetchIt({
      free: async () => room,
      atOnce: 9,
      backOff: { ...quick, stall: 5 },
      onProgress: ({ doneBytes }) => {
        if (doneBytes > fileSize / 2) room = 40_000_000;
      },
    });
    await assert.rejects(stopped, { name: 'DiskFull', message: new RegExp(`${directory} has only 40\\.0 MB left`) });
    await withHost({ directory: source }, async ({ fetchIt }) => {
      const { bytes, fetchedBytes } = await fetchIt({ directory });
      assert.ok(fetchedBytes <= bytes - fileSize / 2, `${fetchedBytes} of ${bytes} bytes were fetched`);
      await assertSame(source, directory);
    });
  });
});

test(
  'a disk that becomes full says so; with room, it goes on with what is there',
  { skip: disk === null && 'mounting a small file system needs root' },
  async () => {
    const { directory, resize } = disk!;
    await withHost({}, async ({ source, fetchIt }) => {
      // As if it had looked roomy before.
      const free = async () => 1e12;
      const fetchToDisk = () => fetchIt({ directory, free });
      await assert.rejects(fetchToDisk(), { name: 'DiskFull', message: /The disk is full: / });
      resize('20m');
      const { bytes, fetchedBytes } = await fetchToDisk();
      assert.ok(fetchedBytes < bytes - 500_000, `${fetchedBytes} of ${bytes} bytes were fetched`);
      for (const path of paths) {
        assert.ok((await readFile(join(source, path))).equals(await readFile(join(directory, path))), path);
      }
    });
  },
);
