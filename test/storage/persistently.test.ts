import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistently } from '../../storage/async/persistently.js';
import { StoreUnavailable, StoreUnsuitable } from '../../storage/types.js';

/** When a worker tries, in milliseconds since the store went away. */
async function attempts(tries: number): Promise<number[]> {
  const at: number[] = [];
  const began = performance.now();
  const work = async (): Promise<void> => {
    at.push(performance.now() - began);
    if (at.length < tries) throw new StoreUnavailable('503 Slow Down');
  };
  await persistently(work, { what: 'Reading', warn: () => undefined, firstPause: 20, longestPause: 80 });
  return at;
}

test('workers that lost the store at the same moment do not come back to it at the same moments', async () => {
  const workers = await Promise.all(Array.from({ length: 12 }, () => attempts(6)));
  // 20 + 40 + 80 + 80 + 80 ms at most, half of it at least.
  for (const at of workers) assert.ok(at.at(-1)! >= 140 && at.at(-1)! < 900, String(at));
  const last = workers.map((at) => Math.round(at.at(-1)!));
  assert.ok(new Set(last).size >= 6, `they all came at ${String(last)}`);
});

test('what had been done counts, although the worker was told to stop meanwhile', async () => {
  const stopping = new AbortController();
  const work = async (): Promise<string> => {
    stopping.abort();
    return 'saved';
  };
  assert.equal(await persistently(work, { what: 'Saving', warn: () => undefined, signal: stopping.signal }), 'saved');
});

test('a wrong setting and a fault of the program are not waited for', async () => {
  for (const fault of [new StoreUnsuitable('KMS.DisabledException'), new TypeError('undefined is not a function')]) {
    const work = (): Promise<void> => Promise.reject(fault);
    await assert.rejects(persistently(work, { what: 'Saving', warn: assert.fail }), fault);
  }
});
