import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError } from '../../configs/configurationError.js';
import { graceOf } from '../../configs/grace.js';

test('a worker, its trainer and the save follow from one number, each within the other', () => {
  assert.deepEqual(graceOf('120'), { saveSeconds: 114, killSeconds: 117, forceSeconds: 118.5, endSeconds: 120 });
  assert.deepEqual(graceOf('15'), { saveSeconds: 10, killSeconds: 12.5, forceSeconds: 13.75, endSeconds: 15 });
  assert.equal(graceOf(''), null);
});

test('what is no grace is refused, and where it was said', () => {
  for (const text of ['soon', '-3', '2', 'Infinity', '1e9']) {
    assert.throws(
      () => graceOf(text),
      (error) => error instanceof ConfigurationError && /TEMPEH_GRACE_SECONDS/.test(error.message),
    );
  }
});
