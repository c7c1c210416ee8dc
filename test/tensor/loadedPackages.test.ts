import assert from 'node:assert/strict';
import { createRequire, findSourceMap } from 'node:module';
import { test } from 'node:test';

// As in a trainer process.
process.setSourceMapsEnabled(true);
const { tf } = await import('../../tensor/index.js');

/**
 * Declared by TensorFlow's package for its own installation, which the set-up does instead; there are advisories against
 * versions of both. `overrides` in package.json takes newer ones.
 */
const declared = /node_modules[\\/](tar|adm-zip)[\\/]/;

test('with TensorFlow nothing of the archive readers that its package declares is loaded', () => {
  assert.equal(tf.getBackend(), 'tensorflow');
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  assert.ok(
    loaded.some((file) => file.includes('tfjs-node-gpu')),
    'the cache lists what was loaded',
  );
  assert.deepEqual(
    loaded.filter((file) => declared.test(file)),
    [],
  );
});

test('nothing is loaded of the packages that tfjs takes along and nobody uses', () => {
  const { resolve, cache } = createRequire(createRequire(import.meta.url).resolve('@tensorflow/tfjs'));
  for (const name of ['layers', 'converter', 'data', 'backend-cpu', 'backend-webgl']) {
    const file = resolve(`@tensorflow/tfjs-${name}`);
    assert.deepEqual(cache[file]?.children, [], name);
    assert.ok(Object.keys(cache[file]?.exports as object).length <= 2, name);
  }
});

test('source maps are read of our code, not of the packages', () => {
  assert.equal(process.sourceMapsEnabled, true);
  const { resolve } = createRequire(import.meta.url);
  assert.ok(findSourceMap(resolve('../../tensor/engine/tidy.js')), 'ours');
  assert.equal(findSourceMap(resolve('@tensorflow/tfjs-core')), undefined);
});
