import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { sourceFiles } from '../support/sourceFiles.js';

/** The TypeScript of all rooms, by its path below the repository. */
async function sources(): Promise<Map<string, string>> {
  const files = sourceFiles().filter((file) => file.endsWith('.ts') && !/^(docs|test)\//.test(file));
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(join(packageRoot, file), 'utf8')] as const)),
  );
}

/** Names that other rooms import of a file, by the file. */
function usedElsewhere(files: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const roomOf = (path: string) => path.split('/')[0];
  const used = new Map<string, Set<string>>();
  for (const [path, text] of files) {
    for (const [, names = '', from = ''] of text.matchAll(
      /(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']+)\.js'/g,
    )) {
      const target = `${posix.join(dirname(path), from)}.ts`;
      if (roomOf(target) === roomOf(path)) continue;
      const of = used.get(target) ?? new Set();
      for (const name of names.split(',')) {
        const imported = name.replace(/\btype\b/, '').trim();
        of.add(imported.split(/\s+as\s+/)[0]!);
      }
      used.set(target, of);
    }
  }
  return used;
}

test('what a room exports to others says what it is', async () => {
  const files = await sources();
  const silent: string[] = [];
  let looked = 0;
  for (const [path, names] of usedElsewhere(files)) {
    const lines = files.get(path)?.split('\n') ?? [];
    for (const [i, line] of lines.entries()) {
      const name = /^export (?:declare |abstract |async )*(?:function\*?|const|let|class|interface|type) ([\w$]+)/.exec(
        line,
      )?.[1];
      if (name === undefined || !names.has(name)) continue;
      looked += 1;
      if (!lines[i - 1]?.trimEnd().endsWith('*/')) silent.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(silent, []);
  assert.ok(looked > 500, `only ${looked} exports were found: rooms import in another way`);
});

test('parameters are documented in one way: @param name text', async () => {
  const others: string[] = [];
  for (const [path, text] of await sources()) {
    for (const [line] of text.matchAll(/@param [\w.]+(?: -|,|:| and) .*/g)) others.push(`${path}: ${line}`);
  }
  assert.deepEqual(others, []);
});
