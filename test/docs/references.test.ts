import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandReference } from '../../cli/documentation/commandReference.js';
import { visibleLength } from '../../cli/terminal/terminal.js';
import { configurationReference, describeSettings } from '../../configs/documentation/describeSettings.js';
import { explainedYaml } from '../../configs/documentation/explainedYaml.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';

const page = (name: string) => readFile(join(packageRoot, 'docs', name), 'utf8');

test('every setting has a sentence', () => {
  const silent = describeSettings().filter(({ sentence }) => !/\w.*[.]$/.test(sentence));
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test('docs/configuration.md is what the schema says (npm run docs writes it)', async () => {
  assert.equal(await page('configuration.md'), configurationReference());
});

test('docs/commands.md is what --help says (npm run docs writes it)', async () => {
  assert.equal(await page('commands.md'), await commandReference());
});

test('a terminal of 80 columns shows every line of --help whole, of all commands', async () => {
  const lines = (await commandReference(80)).split('\n');
  // Those that the page itself has.
  const shown = lines.slice(lines.indexOf('```'));
  assert.deepEqual(
    shown.filter((line) => visibleLength(line) > 80),
    [],
  );
  const known = (await page('commands.md')).match(/^## /gm)!.length;
  assert.equal(lines.filter((line) => line.startsWith('## ')).length, known, 'commands are missing');
});

test('config show explains settings, and what it prints is a configuration', async () => {
  const configuration = await loadConfiguration('miniature');
  const text = explainedYaml(configuration);
  assert.match(text, /# All randomness derives from it, by counters\.\nseed: /);
  assert.deepEqual(resolveConfiguration(text, 'shown.yaml'), configuration);
});
