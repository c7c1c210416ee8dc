import '../support/processes/goldenThreads.js';
import { test } from 'node:test';
import { assertGradients, assertLosses, assertStatistics, step } from '../support/golden/trainingStepGolden.js';

test('refinement, running statistics: losses, and the gradient of every parameter', async () => {
  const found = await step('refinement', 'train_running_statistics');
  assertLosses(found, 'refinement/train_running_statistics', 1e-4, 0.01);
  assertGradients(found, { median: 6e-4, worst: 0.006 }, () => true);
});

test('refinement, training: losses, prediction, running statistics, and the gradient of every parameter', async () => {
  const found = await step('refinement', 'train');
  assertLosses(found, 'refinement/train', 1e-4, 0.01);
  assertStatistics(found);
  assertGradients(found, { median: 1.5e-3, worst: 0.015 }, () => true);
});
