import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { tf } from '../../tensor/index.js';

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
