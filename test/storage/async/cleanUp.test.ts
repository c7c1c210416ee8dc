import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withCleanUp } from '../../../storage/async/cleanUp.js';

test('of the errors of work and clean-up the first is thrown, and all that is to be cleaned up is', async () => {
  const failing = (message: string) => async (): Promise<never> => {
    throw new Error(message);
  };
  const done: string[] = [];
  const last = (): void => void done.push('last');
  await assert.rejects(withCleanUp(failing('disk full'), failing('no such folder'), last), /^Error: disk full$/);
  await assert.rejects(
    withCleanUp(async () => 1, failing('closing'), failing('removing'), last),
    /^Error: closing$/,
  );
  await assert.rejects(
    withCleanUp(
      async () => 1,
      () => {
        throw new Error('not even a promise');
      },
      last,
    ),
    /not even a promise/,
  );
  assert.equal(
    await withCleanUp(
      async () => 7,
      async () => 8,
      last,
    ),
    7,
  );
  assert.equal(done.length, 4);
});
