import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growth, type Slack } from './growth.js';

const slack: Slack = { share: 0.15, least: 40 };
const rounds = (count: number, of: (round: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => of(i));
/** Up and down as a heap goes, the same in every run. */
const wavering = (round: number): number => 15 * Math.sin(round * 2.3);

test('a leak is seen, also a slow one in a long soak, and one beneath a wavering heap', () => {
  assert.deepEqual(growth([200, 300, 400, 500], slack), { from: 300, to: 500 });
  assert.notEqual(
    growth(
      rounds(12, (i) => 300 + 20 * i + wavering(i)),
      slack,
    ),
    null,
  );
  assert.notEqual(
    growth(
      rounds(500, (i) => 300 + i / 4 + wavering(i)),
      slack,
    ),
    null,
  );
  assert.notEqual(growth([36, 36, 38, 40, 42], { share: 0, least: 0.5 }), null);
});

test('what rises and then stays does not grow; neither does what wavers, or one high round', () => {
  assert.equal(
    growth(
      rounds(30, (i) => 300 + wavering(i)),
      slack,
    ),
    null,
  );
  // A heap finds its size; a cache becomes full.
  assert.equal(
    growth(
      rounds(30, (i) => 300 + 120 * Math.min(1, i / 8) + wavering(i)),
      slack,
    ),
    null,
  );
  assert.equal(growth([300, 310, 500, 305, 312, 304, 309], slack), null);
  assert.equal(growth([100, 400, 400, 400], slack), null, 'the first round warms up');
  assert.equal(growth([4, 4, 4, 4, 4], { share: 0, least: 0.5 }), null);
});

test('too few rounds tell nothing', () => {
  assert.equal(growth([100, 200, 300], slack), null);
});
