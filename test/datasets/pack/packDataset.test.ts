import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfiguration } from '../../../configs/load.js';
import { extractBundle } from '../../../datasets/extract/extractBundle.js';
import { fetchBundle } from '../../../datasets/fetch/fetchBundle.js';
import { startMiniatureHost } from '../../../miniature/host/host.js';
import { packDataset, type PackDatasetOptions } from '../../../datasets/pack/packDataset.js';
import { DiskCache } from '../../../datasets/cache/diskCache.js';
import { headFilePath } from '../../../datasets/headFiles.js';
import { openDirectorySource } from '../../../datasets/reader/datasetDirectory.js';
import { openStoreSource } from '../../../datasets/reader/storeSource.js';
import type { DatasetIndex } from '../../../datasets/types.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/types.js';
import { packagedMiniature, smallMiniature } from '../../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const splits = ['train', 'validation', 'test'] as const;
const changed = {
  subjects: { train: 2, validation: 1, test: 1 },
  sequencesPerSubject: 2,
  framesPerSequence: { train: 2, validation: 1, test: 2 },
};
const settings = smallMiniature(changed);
let folders = 0;

/** What `npm start` trains on, but smaller: fetched from a host and extracted, as its configuration says. */
const { configuration, extracted, fetched } = await (async () => {
  const configuration = (await loadConfiguration('miniature')).dataset;
  const packageDirectory = await packagedMiniature(changed);
  const credentials = { username: 'a@b.org', password: 'secret' };
  const host = await startMiniatureHost({ directory: packageDirectory, ...credentials });
  const [directory, extracted] = [join(root, 'downloads'), join(root, 'data')];
  let fetched = 0;
  try {
    assert.ok(configuration.source.kind === 'bundles');
    for (const bundle of configuration.source.bundles) {
      const { files } = await fetchBundle({ host: host.address, bundle, directory, credentials, atOnce: 4 });
      fetched += files.length;
      await extractBundle({ bundle, downloads: directory, extracted });
    }
  } finally {
    await host.close();
  }
  return { configuration, extracted, fetched };
})();

/** A store that notes the keys that are written and read, below the data set's own. */
function countingStore(): { store: ObjectStore; puts: string[]; gets: string[] } {
  const puts: string[] = [];
  const gets: string[] = [];
  const store = directoryStore(join(root, `store-${folders++}`));
  const get: ObjectStore['get'] = (key, options) => {
    gets.push(key.slice(keys.dataset(configuration.name).length + 1));
    return store.get(key, options);
  };
  const put: ObjectStore['put'] = (key, body, options) => {
    return store.put(key, body, options).then((information) => {
      puts.push(key.slice(keys.dataset(configuration.name).length + 1));
      return information;
    });
  };
  return { store: { ...store, get, put }, puts, gets };
}

/** Packs, and reads the index that was published, whole. */
async function packed(options: PackDatasetOptions): Promise<DatasetIndex> {
  return (await packDataset(options)).whole();
}

async function copyOfData(): Promise<string> {
  const copy = join(root, `data-${folders++}`);
  await cp(extracted, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

test('what comes out of the store is what was generated: every frame, byte for byte', async () => {
  assert.equal(fetched, 19 + 1 + 2 + 20 + 7 + 2 + 1 + 3 + 1 + 1);
  const { store, puts, gets } = countingStore();
  const index = await packed({ store, configuration, directory: extracted });
  assert.equal(puts.at(-1), 'dataset.json', 'published last');
  assert.deepEqual([index.unusable, index.incomplete], [[], []]);

  const fromStore = await openStoreSource(store, configuration.name, 'all', new DiskCache(join(root, 'disk'), 1e9));
  const direct = await openDirectorySource(extracted, configuration, 'all');
  assert.deepEqual(fromStore.template, direct.template);
  assert.deepEqual(fromStore.regions, direct.regions);
  gets.length = 0;
  for (const split of splits) {
    const ids = await direct.range(split, 0, direct.count(split));
    assert.deepEqual(await fromStore.range(split, 0, fromStore.count(split)), ids);
    // The parts of the index are read by now.
    gets.length = 0;
    assert.equal(ids.length, settings.subjects[split] * 2 * settings.framesPerSequence[split]);
    for (const id of ids) {
      const [a, b] = await Promise.all([fromStore.load(split, id), direct.load(split, id)]);
      assert.equal(a.views.length, 3 * settings.pods);
      for (const [i, view] of b.views.entries()) {
        assert.equal(a.views[i]?.name, view.name);
        assert.ok(Buffer.from(view.bytes).equals(a.views[i].bytes), `${id.frame} ${view.name}`);
        assert.deepEqual(a.views[i].calibration, view.calibration);
      }
      assert.ok(Buffer.from(b.scan!.bytes).equals(a.scan!.bytes));
      assert.ok(Buffer.from(b.registration!.bytes).equals(a.registration!.bytes));
      assert.deepEqual(
        gets
          .splice(0)
          .map((key) => key.split('/')[0])
          .sort(),
        ['images', 'registrations', 'scans'],
        'three requests a frame',
      );
    }
  }
});

describe('packing again', () => {
  test('puts nothing but the index when all is there, from another folder too', async () => {
    const { store, puts } = countingStore();
    const index = await packed({ store, configuration, directory: extracted });
    puts.length = 0;
    assert.deepEqual(await packed({ store, configuration, directory: await copyOfData() }), index);
    assert.deepEqual(puts, ['unusable.json', 'template.obj', 'vertex_masks.npz', 'dataset.json']);
  });

  test('an interrupted packing publishes nothing, and is continued', async () => {
    const { store, puts } = countingStore();
    const stopping = new AbortController();
    const interrupted = packDataset({
      store,
      configuration,
      directory: extracted,
      signal: stopping.signal,
      onProgress: ({ doneFiles, totalFiles }) => {
        assert.equal(totalFiles, 8 + 2 + 4);
        if (doneFiles === 10) stopping.abort(new Error('pre-empted'));
      },
    });
    await assert.rejects(interrupted, /pre-empted/);
    assert.equal(await store.head(keys.datasetIndex(configuration.name)), null);
    const done = puts.filter((key) => key.startsWith('parts/'));
    assert.ok(done.length > 0);
    puts.length = 0;
    const index = await packed({ store, configuration, directory: extracted });
    assert.equal(index.splits.train.length, 8);
    assert.deepEqual(
      puts.filter((key) => done.includes(key)),
      [],
      'finished sequences are not packed twice',
    );
  });

  test('a lost object and a changed file are packed anew', async () => {
    const { store, puts } = countingStore();
    const first = await packed({ store, configuration, directory: extracted });
    const { images, id } = first.splits.train[0]!;
    await store.delete([`${keys.dataset(configuration.name)}/${images.key}`]);
    puts.length = 0;
    assert.deepEqual(await packed({ store, configuration, directory: extracted }), first);
    assert.ok(puts.includes(images.key));
    const copy = await copyOfData();
    const scan = join(
      copy,
      configuration.layout.train.scans,
      id.subject,
      id.sequence,
      `${id.sequence}.${id.frame}.npy`,
    );
    const other = await readFile(scan);
    other.fill(0, other.length - 4);
    await writeFile(scan, other);
    const changed = await packed({ store, configuration, directory: copy });
    assert.notEqual(changed.splits.train[0]?.scan?.sha256, first.splits.train[0]?.scan?.sha256);
    assert.deepEqual(changed.splits.test, first.splits.test);
  });
});

describe('frames that cannot be used', () => {
  const broken = async (): Promise<{ directory: string; frames: string[] }> => {
    const directory = await copyOfData();
    const { images, scans, registrations, calibrations } = configuration.layout.train;
    const list = JSON.parse(await readFile(join(directory, configuration.layout.train.list), 'utf8')) as string[][];
    const paths = list.map(([s, q, n]) => ({
      sequence: `${s}/${q}`,
      frame: `${s}/${q}/${n}`,
      file: `${s}/${q}/${q}.${n}`,
    }));
    await truncate(join(directory, scans, `${paths[0]!.file}.npy`), 1000);
    await rm(join(directory, registrations, `${paths[1]!.file}.ply`));
    const folder = join(directory, images, paths[2]!.frame);
    const [first, second] = (await readdir(folder)).sort();
    const png = await readFile(join(folder, first!));
    png[200]! ^= 1;
    await writeFile(join(folder, first!), png);
    await rm(join(directory, images, paths[3]!.frame), { recursive: true });
    // One view less is no reason; no calibrations are.
    await rm(
      join(
        directory,
        images,
        paths[4]!.frame,
        second!.replace(/^.*\.([^.]+)\.png$/, `${paths[4]!.file.split('/')[2]}.$1.png`),
      ),
    );
    await rm(join(directory, calibrations, paths[6]!.sequence), { recursive: true });
    return { directory, frames: paths.map(({ frame }) => frame) };
  };

  test('frames that cannot be used are left out and reported with the reason, the others are packed', async () => {
    const { directory, frames } = await broken();
    const { store } = countingStore();
    const index: DatasetIndex = await packed({
      store,
      configuration: { ...configuration, unusableFrames: 0.5 },
      directory,
    });
    const reasons = new Map(
      index.unusable.map(({ id, reason }) => [`${id.subject}/${id.sequence}/${id.frame}`, reason]),
    );
    assert.deepEqual([...reasons.keys()], [...frames.slice(0, 4), ...frames.slice(6)]);
    const expected = [/bytes of data for shape/, /no registration/, /damaged/, /no image/, /no calibration/];
    for (const [i, pattern] of expected.entries()) assert.match(reasons.get(frames[i === 4 ? 6 : i]!) ?? '', pattern);
    assert.equal(index.splits.train.length, 2);
    assert.equal(index.incomplete?.length, 1);
    assert.match(index.incomplete[0]?.reason ?? '', /^no image of \S+$/);
    assert.equal(index.splits.train[0]?.calibrations.length, 3 * settings.pods - 1);
  });

  test('more of them than allowed stop it, with the report in the store', async () => {
    const { directory } = await broken();
    const { store } = countingStore();
    await assert.rejects(packDataset({ store, configuration, directory }), (error: Error) => {
      assert.equal(error.name, 'TooManyUnusableFrames');
      return /6 of 14 frames.*allows 0 \(1 %\).*unusable\.json/.test(error.message);
    });
    const prefix = keys.dataset(configuration.name);
    assert.equal(await store.head(`${prefix}/dataset.json`), null);
    const report = JSON.parse(
      Buffer.from((await store.get(`${prefix}/unusable.json`)).body).toString(),
    ) as DatasetIndex;
    assert.equal(report.unusable.length, 6);
  });

  test('a test set without registrations is fine, a missing list or template is not', async () => {
    const { store } = countingStore();
    const { layout } = configuration;
    const withoutRegistrations = { ...layout, test: { ...layout.test!, registrations: null } };
    const index = await packed({
      store,
      configuration: { ...configuration, layout: withoutRegistrations },
      directory: extracted,
    });
    assert.ok(index.splits.test.length === 4 && index.splits.test.every(({ registration }) => registration === null));
    const directory = await copyOfData();
    await rm(headFilePath(directory, layout.template));
    await assert.rejects(packDataset({ store, configuration, directory }), {
      name: 'DatasetUnusable',
      message: /sampling_template\.obj.*dataset\.layout\.template/,
    });
    await rm(join(directory, layout.validation.list));
    await assert.rejects(packDataset({ store, configuration, directory }), { message: /layout\.validation\.list/ });
  });
});
