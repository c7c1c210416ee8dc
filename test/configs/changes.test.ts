import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationChanges, describeChanges, refuseFixedChanges } from '../../configs/changes/changes.js';
import { ConfigurationError } from '../../configs/configurationError.js';
import { loadConfiguration } from '../../configs/load.js';
import { settingPaths, settingSchemas } from '../../configs/documentation/settings.js';

const of = (...overrides: string[]) => loadConfiguration('miniature', overrides);

test('what differs is listed by setting, in both values, with what it means', async () => {
  const changes = configurationChanges(
    await of(),
    await of('training.refinement.learningRate=5e-4', 'loader.threads=7', 'training.refinement.iterations=999999'),
  );
  const effects = Object.fromEntries(changes.map(({ setting, effect }) => [setting, effect]));
  assert.deepEqual(effects, {
    'training.refinement.learningRate': 'from now on',
    'training.refinement.iterations': 'from now on',
    'loader.threads': 'free',
  });
  const lines = describeChanges(changes).join('\n');
  assert.match(lines, /training\.refinement\.learningRate: [\d.e-]+ → 0\.0005 \(from now on: steps that are done/);
  assert.match(lines, /loader\.threads: \d+ → 7$/m);
  refuseFixedChanges('heads', changes);
});

test('the same configuration has no changes', async () => {
  assert.deepEqual(configurationChanges(await of(), await of()), []);
});

test('what checkpoints depend on is refused: all of it at once, with why and the way out', async () => {
  const changes = configurationChanges(
    await of(),
    await of(
      'seed=9',
      'training.refinement.batchSize=3',
      'model.coarse.v2v.backChannels=[16, 32]',
      'storage.bucket=other',
    ),
  );
  assert.throws(
    () => refuseFixedChanges('heads', changes),
    (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      const settings = ['seed', 'storage.bucket', 'model.coarse.v2v.backChannels', 'training.refinement.batchSize'];
      assert.deepEqual(error.problems.map(({ setting }) => setting).sort(), settings.sort());
      assert.match(error.message, /seed: found 9; the run has trained with 0, and cannot change it: order of the data/);
      assert.match(error.message, /--from heads\/coarse --run NAME$/);
      return true;
    },
  );
});

test('another kind of store is a fixed change, whatever settings the two kinds have', async () => {
  const directory = { ...(await of()), storage: { kind: 'directory', path: '/data' } as const };
  const effects = configurationChanges(await of(), directory).map(({ setting, effect }) => `${setting} ${effect}`);
  assert.ok(effects.includes('storage.kind fixed'));
  assert.ok(effects.includes('storage.path fixed'));
});

test('every rule speaks of settings that exist', async () => {
  const { rules } = await import('../../configs/changes/changes.js');
  const paths = settingPaths().filter((path) => settingSchemas(path.split('.')).length > 0);
  for (const { pattern } of rules)
    assert.ok(
      paths.some((path) => pattern.test(path)),
      String(pattern),
    );
});
