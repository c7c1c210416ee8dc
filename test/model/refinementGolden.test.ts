import { before, test } from 'node:test';
import { refinementIntermediates, type RefinementIntermediates } from '../../model/refinement.js';
import { tf, tidy } from '../../tensor/index.js';
import { coarseSurface } from '../../training/networks/coarseSurface.js';
import { viewTensors } from '../../training/loop/viewTensors.js';
import { assertGolden, goldenArray } from '../support/golden/golden.js';
import { goldenRefinement, goldenState, transposed } from '../support/golden/goldenModel.js';
import { goldenBatch, goldenTemplate } from '../support/golden/goldenSamples.js';

/**
 * The refinement in evaluation mode, from images, calibrations and coarse meshes as they lie on the disk, against what
 * the published system computes from the same: every array on the way, at three times its own rounding error.
 */
let found: RefinementIntermediates;
const state = goldenState('refinement');

before(async () => {
  const batch = await goldenBatch('refinement', 1);
  found = tidy(() =>
    refinementIntermediates(state, viewTensors(batch), coarseSurface(batch, goldenTemplate()), {
      configuration: goldenRefinement,
      mode: 'evaluation',
      // Chunks of 40 vertices, so that their joints are tested as well.
      memory: { chunkBytes: 40 * 4 * 64 * 8 ** 3 },
    }),
  );
});

const picked = Array.from(goldenArray('refinement/picked').data);

test('feature net at a quarter of the resolution', () => {
  const everySecond = tf.stridedSlice(found.features, [0, 0, 0, 0], found.features.shape, [1, 2, 2, 1]);
  assertGolden('refinement/features', transposed(everySecond, [0, 3, 1, 2]));
});

test('surface-aware fusion around every vertex, and the template position beside it', () => {
  const channels = tf.gather(found.volumes, picked);
  assertGolden('refinement/v2v_input', transposed(channels, [0, 4, 1, 2, 3]));
  const fused = tf.slice(channels, [0, 0, 0, 0, 0], [64, 8, 8, 8, 16]);
  assertGolden('refinement/fused', transposed(fused, [0, 4, 1, 2, 3]));
  const all = tf.slice(found.volumes, [0, 0, 0, 0, 0], [642, 8, 8, 8, 16]);
  assertGolden('refinement/fused_mean', tf.mean(all, [1, 2, 3]).dataSync());
});

test('V2V network: logits of the local volumes', () => {
  const bias = state.parameters['local_densify_net.local_net.output_layer.bias']!;
  assertGolden('refinement/logits', tf.add(tf.gather(found.logits, picked), bias).dataSync());
});

test('offsets and refined vertices', () => {
  assertGolden('refinement/offsets', found.offsets.dataSync());
  assertGolden('refinement/vertices', found.vertices.dataSync());
});
