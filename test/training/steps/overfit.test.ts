import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coarseGuess } from '../../../bench/learning/coarseGuess.js';
import { overfit } from '../../../bench/learning/overfit.js';
import { tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const tiny = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
/** A grid that holds the samples' vertices. */
const coarse = { ...tiny.model.coarse, gridSpacing: 80 };
const configuration = { ...tiny, model: { ...tiny.model, coarse } };

/** Two samples that are seen in every step: whatever the network, it comes to know them. */
for (const stage of ['coarse-pretraining', 'refinement'] as const) {
  test(`${stage}: two samples are learnt by heart`, async () => {
    const data = tinyData();
    const { template, regions } = data;
    const given = await data.batch(0);
    const batch = stage === 'refinement' ? { ...given, coarseVertices: coarseGuess(given, 2) } : given;
    const settings = {
      ...configuration.training[stage],
      iterations: 60,
      learningRate: 0.01,
      schedule: { kind: 'cosine', finalFactor: 0.01 } as const,
      losses: { points: 1, pointsToSurface: 0, edges: 0, gemanMcClureSigma: 10 },
      pointRegionWeights: configuration.training['coarse-pretraining'].pointRegionWeights,
      randomGridRotations: false,
    };
    const { before, after } = await overfit({ configuration, stage, settings, template, regions, batch });
    assert.ok(after < before / 2, `${after} mm on average; ${before} mm before training`);
  });
}
