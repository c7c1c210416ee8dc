import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorStatistics } from '../../evaluation/errors/errorStatistics.js';
import { counterRandom } from '../../geometry/random.js';

function near(found: number, expected: number, relative: number): void {
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${found} is not ${expected}`);
}

describe('error statistics', () => {
  test('a few errors: median between the middle two, mean, deviation', () => {
    const statistics = new ErrorStatistics();
    statistics.add([4, 1]);
    statistics.add([2, 3]);
    const { count, median, mean, standardDeviation, percentile90 } = statistics.summary();
    assert.equal(count, 4);
    assert.equal(mean, 2.5);
    near(standardDeviation, Math.sqrt(1.25), 1e-12);
    near(median, 2.5, 1e-3);
    near(percentile90, 3.7, 1e-3);
    assert.equal(statistics.quantile(1), 4);
    assert.equal(statistics.quantile(0), 1);
  });

  test('many errors over six orders of magnitude: percentiles as from sorting them all', () => {
    const random = counterRandom(1, 'errors');
    const errors = Float64Array.from({ length: 20_001 }, () => 10 ** (4 * random.uniform() - 3));
    const statistics = new ErrorStatistics();
    statistics.add(errors);
    const sorted = errors.slice().sort();
    for (const share of [0.01, 0.25, 0.5, 0.9, 0.999]) near(statistics.quantile(share), sorted[20_000 * share]!, 1e-3);
  });

  test('zero errors stay zero; one error is its own median', () => {
    const zeros = new ErrorStatistics();
    zeros.add(new Float32Array(10));
    assert.equal(zeros.summary().median, 0);
    const one = new ErrorStatistics();
    one.add([0.25]);
    assert.equal(one.summary().percentile90, 0.25);
    assert.equal(one.summary().standardDeviation, 0);
  });

  test('an error that is not a number does not slip into a table', () => {
    assert.throws(() => new ErrorStatistics().add([1, NaN]), /error 1 is NaN/);
    assert.throws(() => new ErrorStatistics().add([-1]), /expected 0 mm or more/);
    assert.throws(() => new ErrorStatistics().summary(), /no error was added/);
  });
});
