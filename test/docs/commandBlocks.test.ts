import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { tempehFlow } from '../support/commandLine.js';

interface CommandLine {
  readonly where: string;
  readonly words: readonly string[];
}

/** Of the blocks of commands that a page has: comments, pipes and assignments before a command left out. */
function commandLines(page: string, text: string): CommandLine[] {
  const blocks = [...text.matchAll(/^ *```sh\n([^]*?)^ *```/gm)].map((match) => match[1]!);
  return blocks.flatMap((block) =>
    block
      .replace(/\\\n/g, ' ')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#.*$/, '').split(/\s+[|>]|&&|;/))
      .flat()
      .map((line) => ({ where: `${page}: ${line.trim()}`, words: line.trim().split(/\s+/) })),
  );
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...(await readdir(join(packageRoot, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const lines = (
  await Promise.all(pages.map(async (page) => commandLines(page, await readFile(join(packageRoot, page), 'utf8'))))
).flat();

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
