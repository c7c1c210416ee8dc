import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationWarnings } from '../../evaluation/evaluationWarnings.js';
import { methodNames, type MethodErrors } from '../../evaluation/types.js';

test('a model worse than the mean head, and frames without figures, are warned of', () => {
  const row = (method: string, median: number): MethodErrors => ({
    method,
    pointToSurface: { median, mean: median, percentile90: median } as MethodErrors['pointToSurface'],
    pointToSurfaceQuantiles: [],
    vertices: null,
  });
  const meanHead = row(methodNames.meanHeadLocalised, 3);
  const good = {
    frames: 4,
    methods: [row(methodNames.coarse, 2), row(methodNames.refinement, 1), meanHead],
    leftOut: [],
  };
  assert.deepEqual(evaluationWarnings(good), []);
  const leftOut = [{ subject: 'A', sequence: 'q', frame: '1', reason: 'its prediction failed' }];
  const bad = { frames: 3, methods: [row(methodNames.coarse, 2), row(methodNames.refinement, 3.5), meanHead], leftOut };
  assert.deepEqual(evaluationWarnings(bad), [
    "The refinement model is worse (3.50 mm) than the mean head at the localiser's place (3.00 mm), and has learnt nothing of use.",
    '1 of 4 test frames have no figures, the first: its prediction failed.',
  ]);
});
