import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { passingFault, stoppedFailure, userFault } from '../../activities/failures.js';
import { spread } from '../../workers/temporal/spreadRetries.js';

test('what failed for many at once is not tried again by all at the same moment', () => {
  const delays = (attempt: number): number[] =>
    Array.from({ length: 50 }, () => {
      const failure = spread(new RangeError('the store is away'), attempt) as { nextRetryDelay: number };
      return failure.nextRetryDelay;
    });
  for (const [attempt, longest] of [
    [1, 1000],
    [3, 4000],
    [40, 15_000],
  ] as const) {
    const found = delays(attempt);
    assert.ok(
      found.every((delay) => delay >= longest / 2 && delay <= longest),
      `${attempt}: ${found.join(' ')}`,
    );
    assert.ok(new Set(found).size > 10, 'no two workers alike');
  }
});

test('what a failure says of itself stays: its type and message, what is final, a delay of its own', () => {
  const cause = new RangeError('the store is away', { cause: new Error('ECONNRESET') });
  const failure = spread(cause, 1) as Error & { type: string };
  assert.deepEqual([failure.type, failure.message, failure.stack], ['RangeError', cause.message, cause.stack]);
  assert.equal((failure.cause as Error).message, 'ECONNRESET');
  const asTheyAre = [
    userFault('DataUnusable', 'no frames'),
    stoppedFailure('pre-empted'),
    passingFault('LeaseLost', 'another has it', 10_000),
    new CancelledFailure('cancelled'),
    'no error',
  ];
  for (const one of asTheyAre) assert.equal(spread(one, 2), one);
  const benign = spread(passingFault('Infrastructure', 'away'), 2) as { type: string; nextRetryDelay: number };
  assert.equal(benign.type, 'Infrastructure');
  assert.ok(benign.nextRetryDelay >= 1000);
});
