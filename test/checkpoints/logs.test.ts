import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogParts } from '../../checkpoints/logs/logParts.js';
import { attemptLogName, listLogs } from '../../checkpoints/logs/readLogs.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const freshStore = (): ObjectStore => directoryStore(temporaryFolder());

async function textOf(store: ObjectStore, parts: readonly { readonly key: string }[]): Promise<string> {
  const bodies = await Promise.all(parts.map(async ({ key }) => Buffer.from((await store.get(key)).body)));
  return Buffer.concat(bodies).toString();
}

test('what a process prints is in the store while it runs, part by part, and each attempt by itself', async () => {
  const store = freshStore();
  const open = (step: string, hour: number) => {
    const attempt = attemptLogName(new Date(Date.UTC(2026, 0, 1, hour)), 'abc');
    return new LogParts({ store, run: 'r', step, attempt }, { partBytes: 20, seconds: 1000 });
  };
  const first = open('refinement', 9);
  first.add(Buffer.from('a line of the first\n'));
  first.add(Buffer.from('and\n'));
  await first.upload();
  const [seen] = await listLogs(store, 'r');
  assert.equal(seen?.parts.length, 2, 'a full part, and the open one');
  first.add(Buffer.from('its end\n'));
  await first.close();
  for (const [step, hour] of [
    ['refinement', 11],
    ['evaluation', 10],
  ] as const) {
    const next = open(step, hour);
    next.add(Buffer.from(`${step} ${hour}\n`));
    await next.close();
  }
  const logs = await listLogs(store, 'r');
  assert.deepEqual(
    logs.map(({ step, attempt, began }) => [step, attempt, began.getUTCHours()]),
    [
      ['refinement', 1, 9],
      ['evaluation', 1, 10],
      ['refinement', 2, 11],
    ],
  );
  assert.equal(await textOf(store, logs[0]!.parts), 'a line of the first\nand\nits end\n');
  assert.equal(await textOf(store, logs[2]!.parts), 'refinement 11\n');
});

test('a store that is away costs a process nothing, and gets what it missed when it is back', async () => {
  const store = freshStore();
  let away = true;
  const failing: ObjectStore = {
    ...store,
    put: (...put) => (away ? Promise.reject(new Error('ECONNREFUSED')) : store.put(...put)),
  };
  const attempt = attemptLogName(new Date(0), 'abc');
  const log = new LogParts({ store: failing, run: 'r', step: 's', attempt }, { partBytes: 8, seconds: 1000 });
  for (const line of ['one\n', 'two\n', 'three\n']) {
    log.add(Buffer.from(line));
    await log.upload();
  }
  assert.deepEqual(await listLogs(store, 'r'), []);
  away = false;
  await log.close();
  const [found] = await listLogs(store, 'r');
  assert.equal(await textOf(store, found!.parts), 'one\ntwo\nthree\n');
});

test('what prints without end stops filling the store', async () => {
  const store = freshStore();
  const attempt = attemptLogName(new Date(0), 'abc');
  const options = { partBytes: 10, mostParts: 3, seconds: 1000 };
  const log = new LogParts({ store, run: 'r', step: 's', attempt }, options);
  for (let i = 0; i < 100; i++) log.add(Buffer.from('123456789\n'));
  await log.close();
  const [found] = await listLogs(store, 'r');
  assert.equal(found?.parts.length, 3);
});
