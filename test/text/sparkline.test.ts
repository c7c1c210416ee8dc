import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline } from '../../text/sparkline.js';

test('a loss that falls by tens is a slope; what is no number is left out; more values than columns share them', () => {
  assert.equal(sparkline([1000, 100, 10, 1], 10), '█▆▃▁');
  assert.equal(sparkline([5, NaN, 5, Infinity, 5, 0], 10), '▁▁▁');
  assert.equal(sparkline([5, 4], 10), '', 'no curve yet');
  assert.equal(
    sparkline(
      Array.from({ length: 1000 }, (_, i) => 1000 - i),
      8,
    ).length,
    8,
  );
});
