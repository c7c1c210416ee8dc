import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';

const skipped = /^(node_modules|build.*|\..*|golden|histories)$/;

/** Paths of the sources that may refer to a section. */
async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (skipped.test(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sources(path);
      return /\.(ts|mjs|py|yaml|cc)$/.test(entry.name) ? [path] : [];
    }),
  );
  return found.flat();
}

test('every section of the method that the code refers to is on the page', async () => {
  const page = await readFile(join(packageRoot, 'docs/method.md'), 'utf8');
  const sections = new Set([...page.matchAll(/^#{2,3} (\d(?:\.\d)?)/gm)].map((match) => match[1]));
  const dangling: string[] = [];
  let references = 0;
  for (const path of await sources(packageRoot)) {
    const text = await readFile(path, 'utf8');
    for (const match of text.matchAll(/\bmethod ((?:\d(?:\.\d)?(?:, | and )?)+)/g)) {
      for (const [section] of (match[1] ?? '').matchAll(/\d(\.\d)?/g)) {
        references += 1;
        if (!sections.has(section)) dangling.push(`${relative(packageRoot, path)}: method ${section}`);
      }
    }
    if (/\bspec,? (section )?\d/i.test(text) && !path.endsWith('method.test.ts'))
      dangling.push(`${relative(packageRoot, path)}: spec`);
  }
  assert.deepEqual(dangling, []);
  assert.ok(references > 50, `only ${references} references were found: the code says them in another way`);
});
