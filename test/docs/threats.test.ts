import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';

const page = readFileSync(join(packageRoot, 'docs', 'threats.md'), 'utf8');

test('each test that the page of threats names is there; what none holds is said to be open', () => {
  const rows = page.split('\n').filter((line) => /^\| (?!wants to|-)/.test(line));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const holders = row.split('|').at(-2)!.trim();
    const files = [...holders.matchAll(/\[([^\]]+)\]/g)].map(([, name]) => `${name}.ts`);
    for (const file of files) assert.ok(existsSync(join(packageRoot, 'test', file)), `${file}, in: ${row}`);
    const commands = [...holders.matchAll(/`(test:[a-z]+)`/g)].map(([, name]) => name!);
    const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const command of commands) assert.ok(command in scripts, `npm run ${command}, in: ${row}`);
    if (files.length + commands.length === 0) assert.match(row, /\*\*nothing\*\*/, row);
  }
});
