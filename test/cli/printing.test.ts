import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';

test('commands print by print and printJson: what they say may hold text from outside, of which a terminal obeys nothing but colours', () => {
  const folder = join(packageRoot, 'cli');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('terminal'),
  );
  assert.ok(sources.length > 50);
  const printing = sources.filter((file) => /process\.stdout\.write/.test(readFileSync(join(folder, file), 'utf8')));
  assert.deepEqual(printing, []);
});
