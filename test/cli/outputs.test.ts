import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandError } from '../../cli/errors.js';
import { outputFile, outputFolder } from '../../cli/outputs.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const refused = (why: RegExp) => (error: unknown) =>
  error instanceof CommandError && error.exitCode === 2 && why.test(error.message);

test('a folder that results go into is made before the work, or refused', async () => {
  const folder = join(temporaryFolder(), 'new', 'er');
  assert.equal(await outputFolder('--out', folder), folder);
  assert.ok(statSync(folder).isDirectory());
  await assert.rejects(outputFolder('--out', '/proc/x'), refused(/^--out \/proc\/x: cannot be written to \(ENOENT\)/));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await assert.rejects(outputFolder('--out', file), refused(/: cannot be written to \(EEXIST\); expected a place/));
});

test('of a file the folder is made, and nothing is written over', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'new', 'model.pth');
  assert.equal(await outputFile('FILE', file), file);
  assert.deepEqual(
    [statSync(join(folder, 'new')).isDirectory(), statSync(file, { throwIfNoEntry: false })],
    [true, undefined],
  );
  await assert.rejects(outputFile('FILE', folder), refused(/^FILE .*: is a folder/));
  await assert.rejects(outputFile('FILE', '/proc/x/y.pth'), refused(/cannot be written \(ENOENT\)/));
});

test('evaluation refuses a folder that cannot be made before it measures the first frame', async () => {
  const folder = temporaryFolder();
  const options = ['--predictions', folder, '--scans', folder, '--out', '/proc/x'];
  const { code, stderr } = await tempehFlow(['evaluate', ...options]);
  assert.equal(code, 2);
  assert.match(stderr, /^error: --out \/proc\/x: cannot be written to/);
});
