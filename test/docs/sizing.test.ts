import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { estimateRun } from '../../cli/plan/estimate.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { runSteps } from '../../configs/temporal.js';
import { duration } from '../../text/duration.js';

test('docs/sizing.md has the hours and sizes that start --plan says today', async () => {
  const page = await readFile(join(packageRoot, 'docs', 'sizing.md'), 'utf8');
  const configuration = await loadConfiguration('famos', ['storage.bucket=NAME']);
  const basis = { frames: null, vertexCount: 5023, packedBytes: null, steps: runSteps };
  const here = estimateRun(configuration, { ...basis, coarseStepSeconds: null });
  const there = estimateRun(configuration, { ...basis, coarseStepSeconds: 0.2 });
  for (const { step, count, unit, seconds } of here.steps) {
    if (seconds === null || count === null) continue;
    const row = page.split('\n').find((line) => line.startsWith(`| ${step} `)) ?? '';
    for (const text of [`${count.toLocaleString('en-US')} ${unit}`, duration(seconds)])
      assert.ok(row.includes(text), row);
  }
  for (const { seconds } of [here, there]) assert.ok(page.includes(duration(seconds)), duration(seconds));
  const { dataset, checkpoints, predictions } = here.bucketBytes;
  for (const [name, size] of [
    ['data set', dataset],
    ['checkpoints', checkpoints],
    ['predictions', predictions],
  ] as const) {
    const row = page.split('\n').find((line) => line.startsWith(`| ${name} `) && line.includes(' GB ')) ?? '';
    assert.ok(row.includes(`${Math.round((size ?? 0) / 1e9)} GB`), `${name}: ${row}`);
  }
});
