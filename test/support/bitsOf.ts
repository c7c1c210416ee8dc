import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * What a program of `test/support/processes` prints of the bits that it comes to: a process has one number of threads, and one
 * kind of vectors.
 *
 * @param vectors as `TEMPEH_VECTORS` names them; absent: what this process has.
 */
export function bitsOf(program: string, threads: number, vectors = process.env['TEMPEH_VECTORS']): string {
  const script = fileURLToPath(new URL(`processes/${program}.js`, import.meta.url));
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: String(threads), TEMPEH_VECTORS: vectors };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  return stdout;
}
