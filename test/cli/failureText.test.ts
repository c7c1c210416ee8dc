import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureText } from '../../cli/runs/watching/failureText.js';

test('a run that failed says what to type once that is mended', () => {
  const failed = { run: 'run', status: 'FAILED' as const, failure: 'refinement: the bucket is missing.' };
  assert.equal(failureText(failed), 'refinement: the bucket is missing.\nOnce that is mended: tempeh-flow resume run');
  assert.equal(failureText({ ...failed, status: 'CANCELLED' }), failed.failure);
  assert.equal(failureText({ ...failed, status: 'RUNNING', failure: null }), '');
});
