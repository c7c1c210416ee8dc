import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreads } from '../../evaluation/series/spread.js';
import { seriesTables } from '../../evaluation/series/tables.js';
import type { ErrorSummary, MethodErrors } from '../../evaluation/types.js';

const summary = (mean: number): ErrorSummary => ({
  count: 10,
  median: mean / 2,
  mean,
  standardDeviation: 1,
  percentile90: 2 * mean,
});
const method = (name: string, mean: number, explained: number | null): MethodErrors => ({
  method: name,
  pointToSurface: summary(mean),
  pointToSurfaceQuantiles: [],
  vertices: summary(10 * mean),
  parts: { pose: 1, identity: 1, expression: 1, expressionExplained: explained },
});
const evaluated = (label: string, methods: readonly MethodErrors[]) => ({
  run: `r-${label}`,
  label,
  evaluation: { frames: 2, subjects: ['a'], methods },
});

test('mean and spread of repeats are those of a sample', () => {
  const runs = [1, 2, 6].map((mean, i) => evaluated(`seed ${i}`, [method('refinement', mean, mean / 10)]));
  const [row] = spreads(runs);
  assert.deepEqual(row?.pointToSurface.mean, { mean: 3, standardDeviation: Math.sqrt(7) });
  assert.deepEqual(row?.vertices?.median, { mean: 15, standardDeviation: 5 * Math.sqrt(7) });
  const [table] = seriesTables('seeds', runs);
  assert.deepEqual(table?.rows[0]?.slice(0, 3), ['refinement', '1.50 ± 1.32', '3.00 ± 2.65']);
  assert.equal(table?.rows[0]?.at(-1), '30 ± 26 %');
});

test('a method that a repeat lacks has no spread; a run that is not measured has a row without figures', () => {
  const runs = [
    evaluated('a', [method('coarse', 1, null), method('refinement', 2, null)]),
    evaluated('b', [method('coarse', 3, null)]),
    { run: 'r-c', label: 'c', evaluation: null },
  ];
  assert.deepEqual(
    spreads(runs).map((row) => [row.method, row.expressionExplained]),
    [['coarse', null]],
  );
  const tables = seriesTables('seeds', runs);
  assert.match(tables[0]?.title ?? '', /of 2 runs/);
  assert.deepEqual(tables[1]?.rows[2], ['c', ...Array.from({ length: 7 }, () => '–')]);
  assert.deepEqual(seriesTables('seeds', [{ run: 'r', label: 'r', evaluation: null }]), []);
});

test('an ablation says how far each run is from the first', () => {
  const runs = [
    evaluated('whole', [method('refinement', 2, 0.5)]),
    evaluated('without localiser', [method('refinement', 3, 0.25)]),
    evaluated('4 views', [method('refinement', 1.5, 0.25)]),
  ];
  const [table] = seriesTables('ablation', runs);
  assert.deepEqual(
    table?.rows.map((row) => row.at(-1)),
    ['', '+50 %', '−25 %'],
  );
});
