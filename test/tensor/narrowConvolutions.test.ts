import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { watchedMemory } from '../support/processes/watchedMemory.js';

test('convolutions of few channels leave the memory around theirs alone', () => {
  // oneDNN's filter gradient of 1×1 filters with a stride did not: networks of four channels trained to other bits each
  // time, or died.
  const script = fileURLToPath(new URL('../support/processes/narrowConvolutions.js', import.meta.url));
  // By our kernel, where the processor has it, and by TensorFlow's operations.
  for (const vectors of ['', 'none']) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1', TEMPEH_VECTORS: vectors, ...watchedMemory },
    });
    assert.equal(signal ?? status, 0, stderr);
    assert.equal(stdout.trim(), '480');
  }
});
