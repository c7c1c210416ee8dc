import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cumulativeChart } from '../../report/sections/cumulativeChart.js';
import { timeline } from '../../report/sections/timeline.js';

test('nine methods are nine lines that can be told apart, each as in the legend', () => {
  const methods = Array.from({ length: 9 }, (_, i) => ({ method: `m${i}`, pointToSurfaceQuantiles: [0.1, 1, 10] }));
  const chart = cumulativeChart({ methods } as unknown as Parameters<typeof cumulativeChart>[0]);
  const lines = [...chart.matchAll(/<polyline [^>]*? (stroke="[^>]*)\/>/g)].map((match) => match[1]);
  const names = [...chart.matchAll(/<i style="([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual([lines.length, new Set(lines).size], [9, 9]);
  assert.deepEqual([names.length, new Set(names).size], [9, 9]);
});

test('attempts have the numbers that status gives them: 1, 2, … of a stage', () => {
  const attempt = (stage: string, name: string, from: number) => ({
    stage,
    attempt: name,
    fromStep: 0,
    toStep: 9,
    from,
    to: from + 60,
  });
  const attempts = [attempt('coarse', '1xaa', 0), attempt('coarse', '2xbb', 100), attempt('refinement', '1xcc', 200)];
  const page = timeline({ attempts, models: [], problems: [], curves: [] } as unknown as Parameters<
    typeof timeline
  >[0]);
  const rows = [...page.matchAll(/<tr><th>(\w+)<td title="(\w+)">(\d+)</g)].map(([, ...cells]) => cells);
  assert.deepEqual(rows, [
    ['coarse', '1xaa', '1'],
    ['coarse', '2xbb', '2'],
    ['refinement', '1xcc', '1'],
  ]);
});
