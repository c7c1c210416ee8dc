import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { checkAndStoreRun } from '../../activities/prepareRun.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { ObjectStore } from '../../storage/types.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { emptyStore, keysOf, putJson } from './support/store.js';

function refused(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ApplicationFailure);
    assert.equal(error.type, 'ConfigurationInvalid');
    assert.equal(error.nonRetryable, true);
    assert.match(error.message, pattern);
    return true;
  };
}

test('a good run leaves its configuration in the store, and nothing else', async () => {
  const store = emptyStore();
  const configuration = testConfiguration({ seed: 7 });
  for (let again = 0; again < 2; again++) await checkAndStoreRun({ run: 'heads-1', configuration }, () => store);
  assert.deepEqual(await keysOf(store), ['runs/heads-1/configuration.json']);
  const { body } = await store.get('runs/heads-1/configuration.json');
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), configuration);
});

test('names that would leave their folder, or make keys nest, are refused', async () => {
  for (const run of ['', '..', 'a/b', '.hidden', 'x'.repeat(101), 'a b']) {
    const input = { run, configuration: testConfiguration() };
    await assert.rejects(checkAndStoreRun(input, emptyStore), refused(/name is ".*"; expected at most 100 letters/));
  }
});

test('a configuration of another version is refused with its settings, before the store is touched', async () => {
  const store = emptyStore();
  const newer = { ...testConfiguration(), futureSetting: 1, seed: 'x' } as unknown as RunConfiguration;
  const attempt = checkAndStoreRun({ run: 'heads', configuration: newer }, () => store);
  await assert.rejects(attempt, refused(/futureSetting[^]*seed|seed[^]*futureSetting/));
  assert.deepEqual(await keysOf(store), []);
});

test('a store that ignores either condition is refused: it would lose checkpoints', async () => {
  for (const ignored of ['ifAbsent', 'ifMatch'] as const) {
    const store = emptyStore();
    const careless: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
      put: (key: string, body: Uint8Array, options = {}) => store.put(key, body, { ...options, [ignored]: undefined }),
    });
    const attempt = checkAndStoreRun({ run: 'heads', configuration: testConfiguration() }, () => careless);
    await assert.rejects(attempt, refused(/cannot hold checkpoints.*If-Match and If-None-Match/));
    assert.deepEqual(await keysOf(store), []);
  }
});

test('a run that has trained keeps what its checkpoints depend on; one that has not may have any configuration', async () => {
  const store = emptyStore();
  const prepare = (change: Parameters<typeof testConfiguration>[0]) =>
    checkAndStoreRun({ run: 'heads', configuration: testConfiguration(change) }, () => store);
  await prepare({ seed: 1 });
  await prepare({ seed: 2 });
  await putJson(store, 'runs/heads/coarse/manifest.json', { checkpoints: [{ step: 10 }] });
  await assert.rejects(prepare({ seed: 3 }), refused(/seed: found 3; the run has trained with 2/));
  await prepare({ seed: 2, loader: { threads: 9 } });
  const { body } = await store.get('runs/heads/configuration.json');
  const stored = JSON.parse(Buffer.from(body).toString()) as RunConfiguration;
  assert.deepEqual([stored.seed, stored.loader.threads], [2, 9]);
});
