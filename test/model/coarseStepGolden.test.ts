import '../support/processes/goldenThreads.js';
import { test } from 'node:test';
import { assertGradients, assertLosses, assertStatistics, step } from '../support/golden/trainingStepGolden.js';

test('coarse, running statistics: losses, and the gradient of every parameter', async () => {
  const found = await step('coarse', 'train_running_statistics');
  assertLosses(found, 'coarse/train_running_statistics', 1e-4, 0.15);
  assertGradients(found, { median: 0.01, worst: 0.0384 }, () => true);
});

test('coarse, training: losses, prediction, running statistics, and the well-conditioned gradients', async () => {
  const found = await step('coarse', 'train');
  assertLosses(found, 'coarse/train', 2e-4, 0.1);
  assertStatistics(found);
  assertGradients(found, { median: 2.6e-3, worst: 0.008 }, (name) => /output_layer|decoder_res1\./.test(name));
});
