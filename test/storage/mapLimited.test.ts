import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapLimited } from '../../storage/async/mapLimited.js';

test('results come in the order of the items, of which no more than allowed are under way', async () => {
  let underWay = 0;
  let most = 0;
  const results = await mapLimited([5, 1, 4, 2, 3], 2, async (milliseconds, index) => {
    most = Math.max(most, ++underWay);
    await sleep(milliseconds);
    underWay--;
    return [index, milliseconds];
  });
  assert.deepEqual(results, [
    [0, 5],
    [1, 1],
    [2, 4],
    [3, 2],
    [4, 3],
  ]);
  assert.equal(most, 2);
  assert.deepEqual(await mapLimited([], 2, async () => 1), []);
});

test('after a failure nothing is begun, what is under way is aborted, and the failure is thrown when that has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number, _index: number, failed: AbortSignal): Promise<void> => {
    begun.push(item);
    try {
      if (item === 1) throw new Error('the first');
      await sleep(60_000, undefined, { signal: failed }).catch(async () => {
        // Its own end takes time, and may fail, too.
        await sleep(20);
        throw new Error('a later one');
      });
    } finally {
      ended.push(item);
    }
  };
  await assert.rejects(mapLimited([0, 1, 2, 3, 4], 3, work), { message: 'the first' });
  assert.deepEqual(begun.toSorted(), ended.toSorted());
  assert.ok(begun.length <= 3, String(begun));
});

test('items that come one by one are asked for when there is room; one that cannot be had is a failure', async () => {
  let asked = 0;
  const items = async function* (): AsyncGenerator<number> {
    for (;;) {
      if (++asked === 4) throw new Error('no more to be had');
      yield asked;
    }
  };
  const done: number[] = [];
  const working = mapLimited(items(), 2, async (item) => {
    assert.ok(asked <= item + 2, `${asked} were asked for while ${item} was done`);
    await sleep(5);
    done.push(item);
  });
  await assert.rejects(working, { message: 'no more to be had' });
  assert.deepEqual(done, [1, 2, 3], 'what had been begun has ended');
});
