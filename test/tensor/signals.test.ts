import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { watchedMemory } from '../support/processes/watchedMemory.js';

test('signals that are handled during matrix products leave their memory alone', () => {
  // They did not: a trainer that got SIGTERM in one died, or went on with other numbers (infra/setup/binding).
  const script = fileURLToPath(new URL('../support/processes/signalledProducts.js', import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { ...process.env, ...watchedMemory },
  });
  assert.equal(signal ?? status, 0, stderr);
  assert.equal(stdout.trim(), '3 results, handled');
});
