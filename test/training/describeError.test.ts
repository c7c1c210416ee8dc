import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from '../../training/process/describeError.js';

test('an error is described with its causes, each said once', () => {
  const cause = new Error('User: heads-gpu is not authorized');
  const quoting = new Error('The store refused (AccessDenied: User: heads-gpu is not authorized).', { cause });
  assert.equal(describeError(quoting, true), quoting.message);
  assert.equal(describeError(new Error('No frame.', { cause: quoting }), true), `No frame. (${quoting.message})`);
  assert.equal(describeError('a word', true), 'a word');
});
