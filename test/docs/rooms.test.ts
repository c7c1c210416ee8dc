import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../configs/packageRoot.js';

interface LintBlock {
  readonly files?: readonly string[];
  readonly rules?: Readonly<Record<string, unknown>>;
}

/** What each room may import by the lint's rows, as its messages say: `storage`, `types:configs`. */
async function rowsOfLint(): Promise<Map<string, string[]>> {
  const url = pathToFileURL(join(packageRoot, 'oxlint.config.js')).href;
  const config = (await import(url)) as { readonly default: { readonly overrides: readonly LintBlock[] } };
  const rows = new Map<string, string[]>();
  for (const { files, rules } of config.default.overrides) {
    const room = /^(\w+)\/\*\*\/\*\.ts$/.exec(files?.[0] ?? '')?.[1];
    const row = new RegExp(`${room}/ may import: ([^(]*) \\(`).exec(
      JSON.stringify(rules?.['no-restricted-imports'] ?? ''),
    );
    if (room !== undefined && row !== null) rows.set(room, (row[1] ?? '').split(', '));
  }
  return rows;
}

/** The same by the page. */
function rowsOfPage(rooms: readonly string[]): Map<string, string[]> {
  const page = readFileSync(join(packageRoot, 'docs/architecture.md'), 'utf8');
  const rows = new Map<string, string[]>();
  for (const [, room = '', imports = ''] of page.matchAll(/^- \*\*`(\w+)\/`\*\* [^]*?\n {2}Imports: ([^]*?)\.\n/gm)) {
    const [values = '', types = ''] = imports.replace(/,? and the constants.*/, '').split('types of');
    const named = (text: string) => [...text.matchAll(/(\w+)\//g)].map(([, name]) => name!);
    const allBut = rooms.filter((name) => ![room, 'workflows', 'bench'].includes(name));
    const isAll = values.startsWith('everything but `workflows/` code (types only)');
    rows.set(
      room,
      isAll ? [...allBut, 'types:workflows'] : [...named(values), ...named(types).map((n) => `types:${n}`)],
    );
  }
  return rows;
}

test('the page of the architecture has the rooms that there are, and what the lint lets each import', async () => {
  const folders = readdirSync(packageRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|build|docs$)/.test(entry.name))
    .map(({ name }) => name);
  // What all may have is said above the rooms.
  const shared = ['text', 'network', 'disk'];
  const [lint, page] = [await rowsOfLint(), rowsOfPage(folders.filter((name) => !['test', ...shared].includes(name)))];
  assert.deepEqual([...page.keys(), ...shared].sort(), folders.sort());
  for (const [room, allowed] of lint) {
    if (shared.includes(room)) continue;
    const row = allowed.filter((name) => !shared.includes(name) && name !== 'nothing of ours');
    assert.deepEqual(page.get(room)?.sort(), row.sort(), room);
  }
  assert.ok(lint.size > 15, `only ${lint.size} rows of the lint were read`);
});
