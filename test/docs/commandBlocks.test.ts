import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { tempehFlow } from '../support/commandLine.js';
import { documentedBlocks } from './blocks.js';

interface CommandLine {
  readonly where: string;
  readonly words: readonly string[];
}

const blocks = await documentedBlocks();

/** Of a block: comments, pipes and assignments before a command left out. */
const lines = blocks.flatMap(({ where, text }): CommandLine[] =>
  text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s+[|>]|&&|;/))
    .map((line) => ({ where: `${where}: ${line.trim()}`, words: line.trim().split(/\s+/) })),
);

/** Why nobody runs a block when the tests run. */
const reasons = ['needs the real data', 'needs data of one’s own', 'needs a cluster', 'needs a GPU', 'needs hours'];

test('every block of commands is run by a test, or says what it needs that tests do not have', () => {
  assert.ok(blocks.length > 20);
  for (const { where, mark } of blocks) {
    assert.ok(mark !== null, `${where}: no <!-- block: … --> stands above it (CONTRIBUTING.md)`);
    const [, file] = /^tested by (\S+)$/.exec(mark) ?? [];
    if (file !== undefined) assert.ok(existsSync(join(packageRoot, file)), `${where}: there is no ${file}`);
    else
      assert.ok(mark === 'run' || reasons.includes(mark), `${where}: ${mark} is none of: run, ${reasons.join(', ')}`);
  }
  assert.ok(blocks.filter(({ mark }) => mark === 'run').length > 3);
});

test('every npm run that the documentation names is a script', async () => {
  const { scripts } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { scripts: object };
  const named = lines.filter(({ words }) => words[0] === 'npm' && words[1] === 'run');
  assert.ok(named.length > 3);
  for (const { where, words } of named) assert.ok(words[2]! in scripts, where);
});

test('every command line that the documentation has names a command and options that there are', async () => {
  const ours = lines.flatMap(({ where, words }) => {
    const at = words.indexOf('tempeh-flow');
    return at === 0 || (at === 1 && words[0] === 'npx') ? [{ where, words: words.slice(at + 1) }] : [];
  });
  assert.ok(ours.length > 20);
  const helps = new Map<string, string>();
  for (const { where, words } of ours) {
    const first = words.findIndex((word) => word.startsWith('-'));
    const command = first < 0 ? words : words.slice(0, first);
    const key = command.slice(0, 2).join(' ');
    if (!helps.has(key)) helps.set(key, (await tempehFlow([...command.slice(0, 2), '--help'])).stdout);
    const help = helps.get(key)!;
    assert.match(help, new RegExp(`^tempeh-flow ${command[0]}\\b`, 'm'), where);
    for (const word of words) {
      const option = /^--([a-z][\w-]*)/.exec(word)?.[1];
      if (option !== undefined && option !== 'help') assert.match(help, new RegExp(`--${option}\\b`), where);
    }
  }
});
