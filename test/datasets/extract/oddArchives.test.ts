import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { explainFailure } from '../../../datasets/extract/explainFailure.js';
import { extractBundle } from '../../../datasets/extract/extractBundle.js';
import { SevenZipFailed } from '../../../datasets/extract/sevenZip.js';
import { explainWriteError } from '../../../datasets/fetch/disk/writeErrors.js';
import { writeRecord } from '../../../datasets/fetch/disk/sidecar.js';
import { hasControls } from '../../../text/printable.js';

const root = temporaryFolder();
const images = 'test_subset_data/test_subset_images_4.zip.zip';
const others = ['test_subset_data/test_subset_calibrations.zip', 'test_subset_data/paper_test_frames.json'];
let folders = 0;

/** A ZIP archive of members whose names are these bytes, each with what is beside it. */
const zip = `
import json, struct, sys, zlib
target, members = sys.argv[1], json.loads(sys.argv[2])
body, directory = b"", b""
for name, text, flags in members:
    name, data = bytes.fromhex(name), text.encode()
    fixed = struct.pack("<HHHHIII", 0, 0, 0, 0, zlib.crc32(data), len(data), len(data))[2:]
    common = struct.pack("<HHHH", 20, flags, 0, 0) + struct.pack("<H", 0) + struct.pack("<III", zlib.crc32(data), len(data), len(data)) + struct.pack("<HH", len(name), 0)
    directory += struct.pack("<IH", 0x02014b50, 0x0314) + common + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(body)) + name
    body += struct.pack("<I", 0x04034b50) + common + name + data
end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, len(members), len(members), len(directory), len(body), 0)
open(target, "wb").write(body + directory + end)
`;
import { temporaryFolder } from '../../support/temporaryFolder.js';

type Member = readonly [name: string | Buffer, text: string];

async function layArchive(downloads: string, path: string, members: readonly Member[]): Promise<void> {
  const file = join(downloads, path);
  await mkdir(dirname(file), { recursive: true });
  const utf8 = 0x800;
  const described = members.map(([name, text]) => {
    return [Buffer.from(name as string).toString('hex'), text, typeof name === 'string' ? utf8 : 0];
  });
  if (path.endsWith('.json')) await writeFile(file, '[]');
  else execFileSync('python3', ['-c', zip, file, JSON.stringify(described)]);
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeRecord(file, { path, size: bytes.length, sha256, etag: null, lastModified: null });
}

/** Extracts test-subset with such images. */
async function extract(
  members: readonly Member[],
  {
    prepare = async () => {},
    canRepair = true,
  }: { prepare?: (extracted: string) => Promise<void>; canRepair?: boolean } = {},
) {
  const base = join(root, String(folders++));
  const [downloads, extracted] = [join(base, 'downloads'), join(base, 'data')];
  await layArchive(downloads, images, members);
  for (const path of others) await layArchive(downloads, path, [['test_subset_calibrations/a.tka', 'a']]);
  await prepare(extracted);
  const notes: string[] = [];
  // Nothing here is damaged: no host is asked.
  const repairFrom = {
    host: 'http://127.0.0.1:1/download.php',
    credentials: () => Promise.reject(new Error('asked')),
    onRepaired: (message: string) => void notes.push(message),
  };
  let error: Error | null = null;
  try {
    await extractBundle({ bundle: 'test-subset', downloads, extracted, ...(canRepair ? { repairFrom } : {}) });
  } catch (thrown) {
    error = thrown as Error;
  }
  const folder = join(extracted, 'test_data_subset/test_subset_images_4');
  return { error, notes, files: (await readdir(folder, { recursive: true }).catch(() => [])).sort() };
}

test('names that are one on some disks, there twice, or no UTF-8 are reported, and nothing of them is lost silently', async () => {
  const { error, notes, files } = await extract([
    ['test_subset_images_4/x.png', '1'],
    ['test_subset_images_4/X.png', '2'],
    ['test_subset_images_4/caf\u00e9.png', '3'],
    ['test_subset_images_4/cafe\u0301.png', '4'],
    ['test_subset_images_4/twice.png', '5'],
    ['test_subset_images_4/twice.png', '6'],
    [Buffer.from('test_subset_images_4/\xfcber.png', 'latin1'), '7'],
  ]);
  assert.equal(error, null, String(error));
  assert.equal(files.length, 6);
  const said = notes.join('\n');
  assert.match(
    said,
    /zip\.zip: 1 names are there more than once, of which the last member counts: "[^"]*twice\.png" \(2 times\)/,
  );
  assert.match(
    said,
    /2 names differ only in case or Unicode normal form: .*x\.png" and .*X\.png"; .*caf\\u00e9.*cafe\\u0301/,
  );
  assert.match(said, /names are not UTF-8, and are written as they are: "test_subset_images_4\/\\xfcber\.png"/);
});

test('control characters in a name are no name, and are not printed', async () => {
  const members: Member[] = [
    ['test_subset_images_4/a\u001b[2J\u0007.png', '1'],
    ['test_subset_images_4/b\u009b31m.png', '2'],
  ];
  const { error, files } = await extract(members, { canRepair: false });
  assert.equal(error?.name, 'ArchiveUnsafe');
  assert.match(error?.message ?? '', /images_4\/a\\u001b\[2J\\u0007\.png" holds control characters/);
  assert.ok(!hasControls(error?.message ?? ''));
  assert.deepEqual(files, []);
});

test('what the disk refuses is reported as such, and never as damage of the archive', async () => {
  const long = await extract([[`test_subset_images_4/${'x'.repeat(300)}.png`, '1']]);
  assert.equal(long.error?.name, 'FolderUnusable');
  assert.match(long.error?.message ?? '', /the name is too long for its file system/);
  const inTheWay = await extract([['test_subset_images_4/a.png', '1']], {
    prepare: async (extracted) => {
      await mkdir(extracted, { recursive: true });
      await writeFile(join(extracted, 'test_data_subset'), 'a file');
    },
  });
  assert.equal(inTheWay.error?.name, 'FolderUnusable');
  assert.match(inTheWay.error?.message ?? '', /a file stands where a folder must be|something else has this name/);
  const inside = await extract([
    ['test_subset_images_4/x', '1'],
    ['test_subset_images_4/x/y.png', '2'],
  ]);
  assert.equal(inside.error?.name, 'FolderUnusable');
  for (const { error } of [long, inTheWay, inside])
    assert.doesNotMatch(error?.message ?? '', /damaged|fetch the bundle/i);
});

test('each fault of the system has its own message, and only full disks are waited for', async () => {
  const kinds: readonly [string, string, RegExp][] = [
    ['ENOSPC', 'DiskFull', /disk is full.*Make room/],
    ['EDQUOT', 'DiskFull', /quota .* used up/],
    ['EACCES', 'FolderUnusable', /may not write there/],
    ['EROFS', 'FolderUnusable', /read-only/],
    ['ENAMETOOLONG', 'FolderUnusable', /too long/],
    ['ENOTDIR', 'FolderUnusable', /a file stands where a folder must be/],
    ['EIO', 'DiskFailing', /look at the system's log.*nothing need be fetched again/],
  ];
  const numbers = { ENOSPC: 28, EDQUOT: 122, EACCES: 13, EROFS: 30, ENAMETOOLONG: 36, ENOTDIR: 20, EIO: 5 };
  for (const [code, name, words] of kinds) {
    const own = explainWriteError(Object.assign(new Error(code), { code }), '/data/x') as Error;
    assert.equal(own.name, name);
    assert.match(own.message, words);
    const number = numbers[code as keyof typeof numbers];
    const line = `ERROR: Cannot open output file : errno=${number} : As the system has it : /data/x`;
    const explained = (await explainFailure(new SevenZipFailed(2, [line], '/a.zip'), [])) as Error;
    assert.equal(explained.name, name, code);
    assert.match(explained.message, words);
  }
});
