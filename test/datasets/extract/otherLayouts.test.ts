import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { extractFetched } from '../../../datasets/dataPath.js';
import { findBundle } from '../../../datasets/fetch/bundles.js';
import { writeRecord } from '../../../datasets/fetch/disk/sidecar.js';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const bundle = findBundle('test-subset');
const [images, calibrations] = bundle.archives as [(typeof bundle.archives)[0], (typeof bundle.archives)[0]];
const list = [
  ['anna', 'smile', '000001'],
  ['anna', 'smile', '000002'],
  ['ben', 'talk', '000001'],
];
const picture = ([s, q, n]: readonly string[], camera: string): string => `${s}/${q}/${n}/${q}.${n}.${camera}.png`;
const pictures = list.flatMap((id) => [picture(id, '00_A'), picture(id, '00_B')]);
const cameras = ['anna/smile', 'ben/talk'].flatMap((sequence) => [`${sequence}/00_A.tka`, `${sequence}/00_B.tka`]);

/** Extracts the two archives of the subset, whose members are called so. */
async function extracted(context: TestContext, imageNames: readonly string[], calibrationNames: readonly string[]) {
  const base = temporaryFolder();
  const [downloads, data] = [join(base, 'downloads'), join(base, 'data')];
  const lay = async (path: string, bytes: Buffer): Promise<void> => {
    const file = join(downloads, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeRecord(file, { path, size: bytes.length, sha256, etag: null, lastModified: null });
  };
  const zip = (names: readonly string[]) => writeZip(names.map((name) => ({ name, bytes: Buffer.from(name) })));
  await lay(images.path, zip(imageNames));
  await lay(calibrations.path, zip(calibrationNames));
  await lay(bundle.files[0]!.path, Buffer.from(JSON.stringify(list)));
  const missing: string[] = [];
  const path = {
    host: 'http://127.0.0.1:9',
    bundles: [bundle.name],
    downloads,
    extracted: data,
    downloadsAtOnce: 1,
    deleteExtracted: false,
    credentials: () => Promise.reject(new Error('nothing is fetched')),
    onMissing: (message: string) => void missing.push(message),
  };
  const step = { bundle: bundle.name, onProgress: () => undefined, signal: new AbortController().signal };
  await extractFetched(path, step);
  const below = async (archive: typeof images): Promise<string[]> => {
    const folder = join(data, archive.target, archive.content);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return files.map((file) => file.slice(folder.length + 1)).sort();
  };
  return { missing, below, data };
}

describe('archives whose folders are called otherwise become the folders that a configuration names', () => {
  const within = (folder: string) => (name: string) => `${folder}/${name}`;
  const cases: [string, (name: string) => string, readonly string[]][] = [
    ['another name', within('train_images_4'), []],
    ['one folder more', within('downsampled_images_4/data'), []],
    ['none', (name) => name, []],
    ['the right name, twice', within('test_subset_images_4/test_subset_images_4'), []],
    ['backslashes', (name) => `images\\${name.replaceAll('/', '\\')}`, []],
    ['what a Mac adds', within('images'), ['__MACOSX/images/anna/smile/._x.png', '.DS_Store', 'images/.DS_Store']],
    ['a file beside', within('images'), ['LICENSE.txt']],
  ];
  for (const [what, wrap, others] of cases) {
    test(what, async (context) => {
      const { missing, below, data } = await extracted(
        context,
        [...pictures.map(wrap), ...others],
        [...cameras.map(wrap), ...others],
      );
      assert.deepEqual(
        (await below(images)).filter((name) => !name.startsWith('.')),
        [...pictures].sort(),
      );
      assert.deepEqual(
        (await below(calibrations)).filter((name) => !name.startsWith('.')),
        [...cameras].sort(),
      );
      const file = join(data, images.target, images.content, pictures[0]!);
      assert.equal(await readFile(file, 'utf8'), wrap(pictures[0]!));
      assert.deepEqual(missing, []);
    });
  }

  test('two folders of frames are not guessed between', async (context) => {
    const two = [...pictures.map(within('a')), ...pictures.map(within('b'))];
    await assert.rejects(extracted(context, two, cameras), /holds several folders of SUBJECT\/SEQUENCE\/FRAME: a, b;/);
  });
});

test('what the list names and the archives did not bring is reported, with the folder', async (context) => {
  const { missing } = await extracted(
    context,
    pictures.filter((name) => !name.includes('000002')),
    cameras.filter((name) => !name.startsWith('ben')),
  );
  assert.equal(missing.length, 2);
  assert.match(
    missing[0]!,
    /test_subset_images_4: 1 of the 3 frames of .*paper_test_frames\.json .*: anna\/smile\/000002\.$/,
  );
  assert.match(missing[1]!, /test_subset_calibrations: 1 of the 3 frames of .*: ben\/talk\/000001\.$/);
});
