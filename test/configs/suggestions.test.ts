import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggest } from '../../configs/reading/suggestions.js';

test('a name that someone may have meant: a slip of the finger, or the same end under another parent', () => {
  assert.deepEqual(suggest('rnu', ['run', 'set', 'out']), ['run']);
  assert.deepEqual(suggest('adress', ['address', 'namespace', 'axes']), ['address']);
  assert.deepEqual(suggest('training.batchSize', ['training.refinement.batchSize', 'training.seed']), [
    'training.refinement.batchSize',
  ]);
  assert.deepEqual(suggest('frobnicate', ['run', 'set']), []);
});
