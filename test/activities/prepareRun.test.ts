import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { checkAndStoreExtension, checkAndStoreRun } from '../../activities/runs/prepareRun.js';
import type { ReplacedConfiguration } from '../../activities/runs/storeConfiguration.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { ObjectStore } from '../../storage/types.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
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
    await assert.rejects(
      attempt,
      refused(/cannot hold checkpoints.*If-Match, If-None-Match.*storage\.conditionalPuts/),
    );
    assert.deepEqual(await keysOf(store), []);
  }
});

test('a run that has trained keeps what its checkpoints depend on; one that has not may have any configuration', async () => {
  const store = emptyStore();
  const prepare = (change: Parameters<typeof testConfiguration>[0]) =>
    checkAndStoreRun({ run: 'heads', configuration: testConfiguration(change) }, () => store);
  await prepare({ seed: 1 });
  await prepare({ seed: 2 });
  const manifest = manifestWith('heads', 'coarse', { checkpoints: [[10, 'coarse-pretraining']] });
  await putJson(store, 'runs/heads/coarse/manifest.json', manifest);
  await assert.rejects(prepare({ seed: 3 }), refused(/seed: found 3; the run has trained with 2/));
  await prepare({ seed: 2, loader: { threads: 9 } });
  const { body } = await store.get('runs/heads/configuration.json');
  const stored = JSON.parse(Buffer.from(body).toString()) as RunConfiguration;
  assert.deepEqual([stored.seed, stored.loader.threads], [2, 9]);
});

async function readStored<T>(store: ObjectStore, key: string): Promise<T> {
  return JSON.parse(Buffer.from((await store.get(key)).body).toString()) as T;
}

test('what a run had before is kept with what changed, once a change', async () => {
  const store = emptyStore();
  const prepare = (seed: number) =>
    checkAndStoreRun({ run: 'heads', configuration: testConfiguration({ seed }) }, () => store);
  for (const seed of [1, 2, 2, 1]) await prepare(seed);
  assert.deepEqual(await keysOf(store), [
    'runs/heads/configuration.json',
    'runs/heads/configurations/0001.json',
    'runs/heads/configurations/0002.json',
  ]);
  const first = await readStored<ReplacedConfiguration>(store, 'runs/heads/configurations/0001.json');
  assert.equal(first.configuration.seed, 1);
  assert.match(first.changes.join(), /^seed: 1 → 2/);
  // As an attempt leaves it that was killed before the configuration itself was replaced.
  await putJson(store, 'runs/heads/configuration.json', testConfiguration({ seed: 2 }));
  await prepare(1);
  assert.equal((await keysOf(store)).length, 3);
});

test('a stage that trains is extended, but not below what it has trained, nor when a later stage was built on its end', async () => {
  const store = emptyStore();
  const training = { 'coarse-pretraining': { iterations: 20 }, 'coarse-finetuning': { iterations: 40 } };
  const configuration = testConfiguration({ training });
  const run = 'heads';
  await checkAndStoreRun({ run, configuration }, () => store);
  const extend = (stage: 'coarse-pretraining' | 'coarse-finetuning', iterations: number) =>
    checkAndStoreExtension({ run, configuration, stage, iterations }, () => store);
  const coarse = manifestWith('heads', 'coarse', { checkpoints: [[25, 'coarse-pretraining']] });
  await putJson(store, 'runs/heads/coarse/manifest.json', coarse);
  await assert.rejects(extend('coarse-pretraining', 24), refused(/found 24; .* trained to step 25\. Give it 20 again/));
  await assert.rejects(extend('coarse-pretraining', 40), refused(/coarse-finetuning/));
  await extend('coarse-pretraining', 30);
  const stored = await readStored<RunConfiguration>(store, 'runs/heads/configuration.json');
  assert.equal(stored.training['coarse-pretraining'].iterations, 30);
  assert.match(
    (await readStored<ReplacedConfiguration>(store, 'runs/heads/configurations/0001.json')).changes.join(),
    /^training\.coarse-pretraining\.iterations: 20 → 30/,
  );

  const tuned = manifestWith('heads', 'coarse', {
    checkpoints: [
      [20, 'coarse-pretraining'],
      [35, 'coarse-finetuning'],
    ],
    finished: { 'coarse-pretraining': { step: 20 } },
  });
  await putJson(store, 'runs/heads/coarse/manifest.json', tuned);
  await putJson(store, 'runs/heads/configuration.json', configuration);
  const branch =
    /coarse-finetuning was built on .*--from heads\/coarse-pretraining --run NAME --set training\.coarse-pretraining\.iterations=30/;
  await assert.rejects(extend('coarse-pretraining', 30), refused(branch));
  await extend('coarse-finetuning', 60);
  const refined = manifestWith('heads', 'refinement', { checkpoints: [[3, 'refinement']] });
  await putJson(store, 'runs/heads/refinement/manifest.json', refined);
  await putJson(store, 'runs/heads/configuration.json', configuration);
  await assert.rejects(
    extend('coarse-finetuning', 60),
    refused(/refinement was built on what coarse-finetuning ended/),
  );
});
