import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replayRecorded } from './support/replay.js';

test('what real runs of this and earlier versions recorded replays: their runs will be finished by this version', async () => {
  const { count, errors } = await replayRecorded();
  assert.deepEqual(errors, []);
  assert.ok(count >= 20, `${count} recorded histories`);
});
