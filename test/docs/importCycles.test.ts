import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { sourceFiles } from '../support/sourceFiles.js';

/** Imports and re-exports of files of ours, those of types and those that come later among them. */
const importing = /(?:^(?:import|export)\b[^;'"]*?\bfrom\s*|^import\s*|\bimport\()['"](?<file>\.[^'"]+)['"]/gm;

/** What each of our sources imports, by paths below the package's root. */
function importGraph(): Map<string, string[]> {
  const files = sourceFiles().filter((file) => /\.m?ts$|\.mjs$/.test(file) && !file.endsWith('.d.ts'));
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const text = readFileSync(path.join(packageRoot, file), 'utf8');
      const imported = [...text.matchAll(importing)].flatMap(({ groups }) => {
        const target = path.join(path.dirname(file), groups?.['file'] ?? '');
        return [target, target.replace(/js$/, 'ts')].filter((name) => known.has(name));
      });
      return [file, imported];
    }),
  );
}

/** One way round for each file that reaches itself: depth first, each file looked at once. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): void => {
    const since = way.indexOf(file);
    if (since >= 0) cycles.push([...way.slice(since), file].join(' → '));
    if (since >= 0 || done.has(file)) return;
    way.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    way.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

test('no file imports itself over others, not even for a type', () => {
  const graph = importGraph();
  const imports = [...graph.values()].reduce((sum, { length }) => sum + length, 0);
  assert.ok(graph.size > 500 && imports > 2000, `only ${graph.size} files with ${imports} imports were seen`);
  assert.deepEqual(cyclesOf(graph), []);
  assert.deepEqual(
    cyclesOf(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b → c → b'],
  );
});
