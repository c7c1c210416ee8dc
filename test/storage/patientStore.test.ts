import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openBatches } from '../../datasets/batches/openBatches.js';
import { ThreadFailed } from '../../datasets/threads/threadPool.js';
import { patientStore } from '../../storage/wrappers/patientStore.js';
import { startObjectStore } from '../../infra/services/index.js';
import { s3At } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import {
  CredentialsExpired,
  ObjectNotFound,
  StoreAccessDenied,
  StoreUnavailable,
  type ObjectStore,
} from '../../storage/types.js';
import { packGolden } from '../datasets/reader/packedGolden.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { batchSettings } from '../support/tiny/batchSettings.js';

const training = batchSettings();

/** Fails as it is told to, before it answers from a folder. */
function failing(store: ObjectStore, failures: Error[]): ObjectStore {
  return {
    ...store,
    async get(key, options) {
      const failure = failures.shift();
      if (failure) throw failure;
      return store.get(key, options);
    },
  };
}

const quick = { firstPause: 5, longestPause: 20 };

test('an object store that stops during training: the batch waits for it in its place, and is the same', async () => {
  const directory = temporaryFolder();
  let server = await startObjectStore({ directory, port: 0, bucket: 'tests' });
  const { endpoint, credentials } = server;
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey;
  const storage = s3At(server);
  const warnings: string[] = [];
  const open = async (cache: string) =>
    openBatches(
      {
        source: { kind: 'store', storage, dataset: 'golden', cacheDirectory: join(directory, cache), cacheBytes: 1e9 },
        viewKind: 'stereo',
        coarsePredictions: null,
        threads: 1,
      },
      1,
      { warn: (message) => void warnings.push(message) },
    );
  try {
    await packGolden(s3Store(storage), 'golden');
    const undisturbed = await open('one');
    const expected = await undisturbed.training(0, training, 0);
    await undisturbed.close();
    assert.deepEqual(warnings, []);

    const batches = await open('two');
    await server.stop();
    let come = false;
    const batch = batches.training(0, training, 0).finally(() => (come = true));
    while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(come, false);
    assert.match(warnings[0]!, /^Reading datasets\/golden\/.*ECONNREFUSED.*It goes on when the store is back/s);
    server = await startObjectStore({ directory, port: Number(new URL(endpoint).port), bucket: 'tests' });
    assert.deepEqual(await batch, expected);
    assert.match(warnings.at(-1)!, /answers again, after \d+ s/);
    await batches.close();
  } finally {
    await server.stop();
  }
});

describe('what a loader waits for', () => {
  test('a store that is away, and credentials that have expired; one message for many failures', async () => {
    const folder = directoryStore(temporaryFolder());
    await folder.put('a', Buffer.from('1'));
    const failures = Array.from({ length: 8 }, () => new Error('503 Slow Down'));
    const warnings: string[] = [];
    const store = patientStore(failing(folder, failures), { warn: (message) => void warnings.push(message), ...quick });
    assert.equal(Buffer.from((await store.get('a')).body).toString(), '1');
    assert.equal(failures.length, 0);
    assert.match(warnings[0]!, /^Reading a failed, and is tried again in 0\.005 s: 503 Slow Down\. It goes on/);
    assert.match(warnings.at(-1)!, /answers again/);
    failures.push(new CredentialsExpired('ExpiredToken'));
    assert.equal(Buffer.from((await store.get('a')).body).toString(), '1');
    // A missing permission is no outage.
    failures.push(new StoreAccessDenied('AccessDenied'));
    await assert.rejects(store.get('a'), StoreAccessDenied);
    await assert.rejects(store.get('b'), ObjectNotFound);
  });

  test('every request waits, but for what cannot simply be sent again', async () => {
    const folder = directoryStore(temporaryFolder());
    await folder.put('a/one', Buffer.from('1'));
    let isAway = true;
    const away = async <T>(answer: () => Promise<T>): Promise<T> => {
      isAway = !isAway;
      if (!isAway) throw new StoreUnavailable('503 Slow Down');
      return answer();
    };
    const every: ObjectStore = {
      ...folder,
      head: (key) => away(() => folder.head(key)),
      put: (key, body, options) => away(() => folder.put(key, body, options)),
      delete: (keys) => away(() => folder.delete(keys)),
      async *list(prefix) {
        yield* folder.list(prefix);
        await away(async () => undefined);
      },
    };
    const store = patientStore(every, { warn: () => undefined, ...quick });
    assert.equal((await store.head('a/one'))?.size, 1);
    await store.put('a/two', Buffer.from('2'));
    const names: string[] = [];
    for await (const { key } of store.list('a/')) names.push(key);
    assert.deepEqual(names.sort(), ['a/one', 'a/two']);
    await store.delete(['a/two']);
    assert.equal(await store.head('a/two'), null);
    // Its answer may be what was lost.
    await assert.rejects(store.put('a/three', Buffer.from('3'), { ifAbsent: true }), StoreUnavailable);
  });

  test('credentials that were never accepted are reported at once', async () => {
    const refusal = new StoreAccessDenied('InvalidAccessKeyId');
    const folder = directoryStore(temporaryFolder());
    const store = patientStore(failing(folder, [refusal]), { warn: assert.fail, ...quick });
    await assert.rejects(store.get('a'), refusal);
  });

  test('a store that takes a request and does not answer is reported while it is waited for', async () => {
    const folder = directoryStore(temporaryFolder());
    await folder.put('a', Buffer.from('1'));
    const slow: ObjectStore = {
      ...folder,
      async get(key) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        return folder.get(key);
      },
    };
    const warnings: string[] = [];
    await patientStore(slow, { warn: (message) => void warnings.push(message), ...quick, patience: 30 }).get('a');
    assert.ok(warnings.length >= 3, String(warnings));
    assert.match(warnings[0]!, /^Reading a has waited for 0 s: there is no answer\. It goes on/);
  });

  test('a request to stop ends the waiting', async () => {
    const stopping = new AbortController();
    const away = { ...directoryStore(temporaryFolder()), get: () => Promise.reject(new Error('away')) };
    const warn = (): void => stopping.abort(new Error('SIGTERM'));
    await assert.rejects(patientStore(away, { warn, signal: stopping.signal, firstPause: 60_000 }).get('a'));
  });

  test('a closed loader ends what waits', async () => {
    const folder = temporaryFolder();
    await packGolden(directoryStore(join(folder, 'store')), 'golden');
    const batches = await openBatches(
      {
        source: {
          kind: 'store',
          storage: { kind: 'directory', path: join(folder, 'store') },
          dataset: 'golden',
          cacheDirectory: join(folder, 'cache'),
          cacheBytes: 1e9,
        },
        viewKind: 'stereo',
        coarsePredictions: null,
        threads: 1,
      },
      1,
      { warn: () => undefined },
    );
    const waiting = batches.training(0, training, 0);
    await batches.close();
    await assert.rejects(waiting, ThreadFailed);
  });
});
