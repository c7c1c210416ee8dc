import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sourceFingerprint } from '../../miniature/sourceFingerprint.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const write = (name: string, text: string) => writeFile(join(folder, name), text);

test('an edit of a module that is imported, by a thread or indirectly, makes the cached miniature stale; another does not', async () => {
  await write('entry.js', "import { a } from './a.js';\nnew URL('./thread.js', import.meta.url);\n");
  await write('a.js', "export * from './deep.js';\n");
  await write('deep.js', 'export const a = 1;\n');
  await write('thread.js', 'postMessage(1);\n');
  await write('other.js', '1;\n');
  const take = () => sourceFingerprint([join(folder, 'entry.js')]);
  const before = await take();
  await write('other.js', '2;\n');
  assert.equal(await take(), before);
  await write('deep.js', 'export const a = 2;\n');
  const deep = await take();
  assert.notEqual(deep, before);
  await write('thread.js', 'postMessage(2);\n');
  assert.notEqual(await take(), deep);
});
