import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreadFailed, ThreadPool } from '../../../datasets/threads/threadPool.js';
import type { ExampleTask } from './exampleThread.js';

const module = new URL('./exampleThread.js', import.meta.url);

test('tasks of several threads are answered each by its own result, other messages apart from them', async () => {
  const notes: string[] = [];
  const pool = new ThreadPool<ExampleTask, number, string>(module, null, 2, { onNote: (note) => notes.push(note) });
  const sums = await Promise.all(Array.from({ length: 9 }, (_, i) => pool.run({ add: [i, 1] })));
  assert.deepEqual(sums, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(notes.length, 9);
  await pool.close();
});

test('an error comes out with its name, its message and its fields; the thread goes on', async () => {
  const pool = new ThreadPool<ExampleTask, number>(module, null, 1);
  await assert.rejects(pool.run({ open: '/none/such' }), (error) => {
    assert.ok(error instanceof ThreadFailed);
    assert.match(error.message, /^ENOENT.*'\/none\/such'$/);
    assert.equal(error.originalName, 'Error');
    assert.equal(error.fields['code'], 'ENOENT');
    return true;
  });
  assert.equal(await pool.run({ add: [2, 2] }), 4);
  await pool.close();
});

test(
  'a thread that dies fails what it had to do, and what it is asked for afterwards',
  { timeout: 20_000 },
  async () => {
    const pool = new ThreadPool<ExampleTask, number>(module, null, 1);
    await assert.rejects(pool.run({ exit: 3 }), /the thread has ended/);
    await assert.rejects(pool.run({ add: [1, 1] }), /the thread has ended/);
    await pool.close();
    await assert.rejects(pool.run({ add: [1, 1] }), ThreadFailed);
  },
);

test('an aborted signal ends the threads: what was under way, and what comes later, fails with its reason', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const pool = new ThreadPool<ExampleTask, number>(module, null, 1, { signal });
  assert.equal(await pool.run({ add: [1, 1] }), 2);
  const underWay = assert.rejects(pool.run({ add: [1, 1] }), /^Error: enough$/);
  controller.abort(new Error('enough'));
  await underWay;
  await assert.rejects(pool.run({ add: [1, 1] }), /^Error: enough$/);
  await pool.close();
  assert.throws(() => new ThreadPool(module, null, 1, { signal }), /^Error: enough$/);
});
