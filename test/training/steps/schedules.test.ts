import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFactor } from '../../../training/optimisation/schedules.js';

const factors = (schedule: Parameters<typeof scheduleFactor>[0], steps: number[]): number[] =>
  steps.map((step) => Math.round(scheduleFactor(schedule, step, 1000) * 1e9) / 1e9);

test('constant', () => {
  assert.deepEqual(factors({ kind: 'constant' }, [0, 500, 1000]), [1, 1, 1]);
});

test('step: halved at 20, 40, 60 and 80 %', () => {
  assert.deepEqual(
    factors({ kind: 'step' }, [0, 199, 200, 399, 400, 600, 799, 800, 1000]),
    [1, 1, 0.5, 0.5, 0.25, 0.125, 0.125, 0.0625, 0.0625],
  );
});

test('cosine: from 1 to the final factor, half way between in the middle', () => {
  assert.deepEqual(factors({ kind: 'cosine', finalFactor: 0.2 }, [0, 500, 1000]), [1, 0.6, 0.2]);
});

test('exponential: equal shares of the iterations multiply by equal factors', () => {
  assert.deepEqual(factors({ kind: 'exponential', finalFactor: 0.01 }, [0, 500, 1000]), [1, 0.1, 0.01]);
});

test('a step beyond the end keeps the last rate', () => {
  assert.deepEqual(factors({ kind: 'cosine', finalFactor: 0 }, [1000, 1500]), [0, 0]);
});
