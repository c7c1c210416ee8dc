import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Glibc's checks of what is freed; where it is not there, glibc's usual ones see most of it. */
const watcher = '/lib/x86_64-linux-gnu/libc_malloc_debug.so.0';

test('signals that are handled during matrix products leave their memory alone', () => {
  // They did not: a trainer that got SIGTERM in one died, or went on with other numbers (infra/setup/binding).
  const script = fileURLToPath(new URL('../support/signalledProducts.js', import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { ...process.env, MALLOC_CHECK_: '3', ...(existsSync(watcher) ? { LD_PRELOAD: watcher } : {}) },
  });
  assert.equal(signal ?? status, 0, stderr);
  assert.equal(stdout.trim(), '3 results, handled');
});
