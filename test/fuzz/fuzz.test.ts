import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { fuzz } from './fuzz.js';

test('whatever comes, a reader gives a value or a typed error, soon and in bounds', { timeout: 120_000 }, async () => {
  const results = await fuzz({ seconds: 12, seed: 20261129 });
  const failures = results.filter(({ failure }) => failure !== null);
  assert.deepEqual(failures, []);
  assert.ok(results.length >= 26);
  for (const { reader, runs } of results) assert.ok(runs > 0, reader);
});

test('one that throws what is not typed, floods the memory or hangs is found, with its input', async (context) => {
  const readers = new URL('./brokenReaders.js', import.meta.url);
  const results = await fuzz({ seconds: 1.5, seed: 1, readers, hangsAfter: 1.5 });
  context.after(() =>
    Promise.all(results.map(async ({ failure }) => (failure ? rm(failure.file, { force: true }) : undefined))),
  );
  const [throws, floods, hangs] = results.map(({ failure }) => failure);
  assert.match(throws?.message ?? '', /TypeError: of undefined/);
  assert.equal((await readFile(throws!.file)).length, 10, 'the smallest input that shows it');
  assert.match(floods?.message ?? '', /\d+ MB more memory/);
  assert.match(hangs?.message ?? '', /busy with one input for 1\.5 s/);
  assert.equal(await readFile(hangs!.file, 'utf8'), 'stuck');
});
