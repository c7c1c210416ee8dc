import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { bundlePaths, findBundle } from '../../../datasets/fetch/bundles.js';
import { fetchBundle, type FetchBundleOptions } from '../../../datasets/fetch/fetchBundle.js';
import { startMiniatureHost, type MiniatureHost } from '../../../datasets/miniature/host.js';

const root = await mkdtemp(join(tmpdir(), 'full-'));
const disk = join(root, 'disk');
const credentials = { username: 'a', password: 'b' };
const paths = bundlePaths(findBundle('test-data'));

/** A file system of its own; false where this user may not mount one. */
function mount(options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

await mkdir(disk);
const mounted = mount('size=1m');
const source = join(root, 'host');
for (const path of paths) {
  const bytes = randomBytes(300_000);
  if (/\.zip(\.001)?$/.test(path)) bytes.write('PK\x03\x04', 'latin1');
  await mkdir(dirname(join(source, path)), { recursive: true });
  await writeFile(join(source, path), bytes);
}
const host: MiniatureHost = await startMiniatureHost({ ...credentials, directory: source });
after(async () => {
  await host.close();
  if (mounted) execFileSync('umount', [disk]);
  await rm(root, { recursive: true, force: true });
});

const fetchTo = (directory: string, change: Partial<FetchBundleOptions> = {}) =>
  fetchBundle({ host: host.address, bundle: 'test-data', directory, credentials, atOnce: 3, ...change });

test('too small a disk shows before anything is fetched, with what is needed and for what', async () => {
  const alsoNeeded = [{ directory: root, bytes: 5e9, purpose: 'what is extracted from them (at least)' }];
  const before = host.records.reduce((sum, { bytes }) => sum + bytes, 0);
  await assert.rejects(fetchTo(join(root, 'small'), { alsoNeeded, free: async () => 3e9 }), {
    name: 'DiskFull',
    message: /the volumes of test-data 2\.1 MB in .*extracted from them \(at least\) 5\.0 GB.*it has 3\.0 GB free/,
  });
  const sent = host.records.reduce((sum, { bytes }) => sum + bytes, 0) - before;
  assert.ok(sent < 100, `${sent} bytes`);
});

test(
  'a disk that becomes full says so; with room, it goes on with what is there',
  { skip: mounted ? false : 'mounting a small file system needs root' },
  async () => {
    // As if it had looked roomy before.
    const free = async () => 1e12;
    await assert.rejects(fetchTo(disk, { free }), { name: 'DiskFull', message: /The disk is full: .*\.part/ });
    mount('remount,size=20m');
    const { bytes, fetchedBytes } = await fetchTo(disk, { free });
    assert.ok(fetchedBytes < bytes - 500_000, `${fetchedBytes} of ${bytes} bytes were fetched`);
    for (const path of paths) {
      assert.ok((await readFile(join(source, path))).equals(await readFile(join(disk, path))), path);
    }
  },
);
