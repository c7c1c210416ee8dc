import assert from 'node:assert/strict';
import { readDatasetIndex } from '../../datasets/index/openIndex.js';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DatasetSummary } from '../../activities/types.js';
import { loadConfiguration } from '../../configs/load.js';
import { startMiniatureHost, type MiniatureHostOptions } from '../../miniature/host/host.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { startTemporal } from '../../infra/services/index.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { openStore } from '../../storage/openStore.js';
import { connectClient } from '../../client/connection/client.js';
import { startRun } from '../../client/runs/runs.js';
import { S3Proxy, type SeenRequest } from '../support/servers/s3Proxy.js';
import { startTestS3 } from '../support/servers/s3.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { packagedMiniature } from '../support/tiny/smallMiniature.js';
import { dataWorker, killDataWorkers, killed } from './support/dataWorkers.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const root = temporaryFolder();
const credentials = { username: 'a@b.org', password: 'secret' };
const run = 'unlucky';

/** The host's package; small, but with several sequences to pack. */
const miniature = () => packagedMiniature({ subjects: { train: 4, validation: 1, test: 1 } });

after(killDataWorkers);

/** Files below a folder, by what is looked for. */
async function filesOf(folder: string, fits: (name: string) => boolean): Promise<string[]> {
  const all = await readdir(folder, { recursive: true }).catch(() => []);
  return all.filter(fits).map((name) => join(folder, name));
}

test('a data worker killed in download, extraction and packing, and in the end for good: another finishes the run', async () => {
  const directory = await miniature();
  /** The first volume of the training images that is asked for comes at a trickle, until the worker has died of it. */
  let trickle: string | null = null;
  const faults: MiniatureHostOptions['faults'] = ({ path, range }) => {
    if (!path.includes('training_images_4') || range === 'bytes=0-3') return undefined;
    trickle ??= path;
    return trickle === path ? { kind: 'slow', bytesPerSecond: 3000 } : undefined;
  };
  const host = await startMiniatureHost({ ...credentials, directory, faults });
  const s3 = await startTestS3();
  const proxy = await S3Proxy.start(() => Number(new URL(s3.configuration.endpoint!).port));
  /** By the other worker. */
  const puts: string[] = [];
  const noting = ({ method, path }: SeenRequest): null => {
    if (method === 'PUT') puts.push(path);
    return null;
  };
  const temporal = await startTemporal({ directory: join(root, 'temporal'), port: 0, uiPort: 0, modest: true });
  const client = await connectClient(temporal);
  const environment = {
    ...s3.environment,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPEH_HOST: host.address,
    TEMPEH_STORES: proxy.endpoint,
    TEMPEH_USERNAME: credentials.username,
    TEMPEH_PASSWORD: credentials.password,
  };
  const here = join(root, 'one');
  const elsewhere = join(root, 'other');
  try {
    const loaded = await loadConfiguration('miniature', [
      `dataset.source.host=${host.address}`,
      `storage.bucket=${s3.configuration.bucket}`,
      `storage.endpoint=${proxy.endpoint}`,
      'supervision.progressTimeoutSeconds=5',
      'supervision.lostWorkerSeconds=6',
    ]);
    const { dataset } = loaded;
    const downloads = join(here, dataset.downloads);
    const extracted = join(here, dataset.extracted);

    // In mid download: a piece of a volume is on the disk.
    let worker = await dataWorker(here, environment);
    await startRun(client, { run, configuration: loaded, steps: ['dataset'] });
    const partOf = (path: string) => join(downloads, `${path}.part`);
    const path = await waitFor('a piece of a volume', async () => {
      const { size } = await stat(partOf(trickle ?? '')).catch(() => ({ size: 0 }));
      return size > 0 && trickle !== null ? trickle : undefined;
    });
    await killed(worker);
    const { size: bytesThere } = await stat(partOf(path));
    assert.ok(bytesThere < (await stat(join(directory, path))).size);
    trickle = 'none';

    // In mid extraction: 7-Zip is at work, and not all is extracted.
    worker = await dataWorker(here, environment);
    const state = join(extracted, '.extracted');
    await waitFor('an extraction', async () => {
      return (await readdir(join(state, 'unfinished')).catch(() => [])).length > 0 || undefined;
    });
    await killed(worker);
    const markers = (await filesOf(state, (name) => /^[^/]*\.json$/.test(name))).length;
    assert.ok(markers < 8, `${markers} of 8 archives were extracted`);
    const { records } = host;
    const asked = records.filter((record) => record.path === path).map(({ range }) => range);
    assert.ok(asked.includes(`bytes=${bytesThere}-`), `${path} was asked for as ${asked.join(', ')}`);

    // In mid packing: a sequence is packed, the next one's part never arrives.
    let parts = 0;
    let drop = (): void => undefined;
    const held = new Promise<'drop'>((resolve) => (drop = () => resolve('drop')));
    const second = proxy.treatNext(
      ({ method, path }) => (method === 'PUT' && path.includes('/parts/') ? ++parts === 2 : false),
      { kind: 'hold', until: held },
    );
    worker = await dataWorker(here, environment);
    await second;
    await killed(worker);
    drop();
    proxy.treat(noting);
    const ofOne = records.length;
    const sent = new Map<string, number>();
    for (const { path, range, bytes } of records) {
      if (range !== 'bytes=0-3') sent.set(path, (sent.get(path) ?? 0) + bytes);
    }
    let twice = 0;
    for (const [path, bytes] of sent) if (bytes > (await stat(join(directory, path))).size) twice++;
    // What a killed process had received and not yet written: of each connection one volume, in two deaths.
    assert.ok(twice <= 2 * dataset.downloadsAtOnce, `${twice} of ${sent.size} files came twice`);
    const store = openStore(loaded.storage);
    assert.equal(await store.head('datasets/miniature/dataset.json'), null);
    const packed = [];
    for await (const { key } of store.list('datasets/miniature/parts/')) packed.push(key);
    assert.ok(packed.length > 0);

    // It does not come back: another one, with an empty disk, starts anew from what the object store has.
    worker = await dataWorker(elsewhere, environment);
    const summary = (await client.workflow.getHandle(`${run}/dataset`).result()) as DatasetSummary;
    assert.equal(summary.unusable, 0);
    // Each death is one, of each activity that was under way.
    const { preemptions, failures } = summary.interruptions ?? { preemptions: 0, failures: 0 };
    assert.ok(preemptions === 0 && failures >= 3 && failures <= 6, `${failures} failures`);
    assert.ok(records.length > ofOne, 'its disk was empty');
    for (const part of packed) {
      const [subject, sequence] = part
        .split('/')
        .slice(-2)
        .map((name) => name.replace('.json', ''));
      const again = puts.filter((put) => put.includes(`/images/${subject}/${sequence}/`));
      assert.deepEqual(again, [], `${part} was there`);
    }
    worker.kill('SIGTERM');

    // As it is packed undisturbed.
    const expected = await packDataset({
      store: directoryStore(join(root, 'undisturbed')),
      configuration: dataset,
      directory: join(elsewhere, dataset.extracted),
    });
    assert.deepEqual(await readDatasetIndex(store, 'miniature'), await expected.whole());
    const image = (await expected.range('test', 0, 1))[0]!.images.key;
    const [stored, right] = await Promise.all([
      store.get(`datasets/miniature/${image}`),
      readFile(join(root, 'undisturbed/datasets/miniature', image)),
    ]);
    assert.ok(right.equals(stored.body));
  } finally {
    killDataWorkers();
    await client.connection.close();
    await temporal.stop();
    await proxy.stop();
    await s3.stop();
    await host.close();
  }
});
