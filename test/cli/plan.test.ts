import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateRun } from '../../cli/plan/estimate.js';
import { loadConfiguration } from '../../configs/load.js';
import { runSteps } from '../../configs/temporal.js';
import { tempehFlow } from '../support/commandLine.js';

interface Plan {
  readonly steps: readonly { readonly step: string; readonly count: number | null; readonly seconds: number | null }[];
  readonly price: { readonly gpu: number | null };
  readonly seconds: number;
  readonly missing: readonly string[];
}

test('start --plan says steps, hours, price and all that is missing at once, and starts nothing', async () => {
  const args = ['start', 'full-training', '--config', 'famos', '--address', '127.0.0.1:1', '--json'];
  const { code, stdout, stderr } = await tempehFlow([...args, '--plan', '--step-seconds', '0.2', '--gpu-price', '3']);
  assert.equal(code, 0, stderr);
  const { steps, price, seconds, missing } = JSON.parse(stdout) as Plan;
  assert.deepEqual(
    steps.map(({ step }) => step),
    [...runSteps],
  );
  const [, pretraining, finetuning] = steps;
  assert.deepEqual([pretraining?.count, pretraining?.seconds], [300_000, 60_000]);
  assert.equal(finetuning?.count, 500_000, 'fine-tuning counts on from pre-training');
  assert.ok(Math.abs((price.gpu ?? 0) - (3 * seconds) / 3600) < 1e-6);
  assert.match(missing.join('\n'), /object store is not named.*storage\.bucket=NAME[^]*Temporal does not answer/);
});

test('a bucket has room for what is kept on the way: milestones count', async () => {
  const configuration = await loadConfiguration('famos', ['storage.bucket=NAME']);
  const basis = { frames: null, vertexCount: 5023, packedBytes: null, coarseStepSeconds: null, steps: runSteps };
  const { bucketBytes, dataDiskBytes } = estimateRun(configuration, basis);
  const without = estimateRun(
    { ...configuration, checkpoints: { ...configuration.checkpoints, milestoneEvery: null } },
    basis,
  );
  assert.ok(bucketBytes.checkpoints > 3 * without.bucketBytes.checkpoints);
  assert.ok(Math.abs((dataDiskBytes ?? 0) - 2 * 503e9) < 10e9, 'volumes and what is extracted of them');
});
