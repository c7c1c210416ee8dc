import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { vectors } from '../../tensor/index.js';

const engine = new URL('../../tensor/engine/ownKernels.js', import.meta.url);

/** What a process that loads TensorFlow computes with. */
function vectorsOf(asked: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const code = `import(${JSON.stringify(engine.href)}).then(({ vectors }) => process.stdout.write(vectors))`;
  const env = { ...process.env, TEMPEH_VECTORS: asked };
  const folder = fileURLToPath(new URL('.', import.meta.url));
  return spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8', env });
}

test('TEMPEH_VECTORS: an empty word is none at all, none is none, another is refused', () => {
  assert.equal(vectorsOf('none').stdout, 'none');
  if (process.env['TEMPEH_VECTORS'] === undefined) assert.equal(vectorsOf('').stdout, vectors);
  const { status, stdout, stderr } = vectorsOf('avx3');
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /TEMPEH_VECTORS is "avx3"; expected avx512, avx2 or none/);
});
