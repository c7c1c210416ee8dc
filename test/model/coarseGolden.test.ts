import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coarseIntermediates, type CoarseIntermediates } from '../../model/coarse.js';
import { gridPositions } from '../../model/sampling/voxelGrid.js';
import { multiply, reshape, tf, tidy, type Tensor2D, type Tensor5D } from '../../tensor/index.js';
import { assertGolden } from '../support/golden/golden.js';
import { goldenCoarse, goldenState, goldenTensor, goldenViews, transposed } from '../support/golden/goldenModel.js';

/**
 * The coarse model in evaluation mode, against what the published system computes from the same weights and images:
 * every array on the way, at three times the published system's own rounding error.
 */
const state = goldenState('coarse');
const views = goldenViews('coarse', goldenTensor('coarse/inputs/stereo_images'));
const grid = { side: goldenCoarse.gridSide, spacing: goldenCoarse.gridSpacing };
const found: CoarseIntermediates = tidy(() =>
  coarseIntermediates(state, views, { configuration: goldenCoarse, mode: 'evaluation' }),
);

/** `[1, N, C]` → `(1, C, D, D, D)` */
const channelsFirst = [0, 2, 1];

test('feature net', () => {
  assertGolden('coarse/features', transposed(found.features, [0, 3, 1, 2]));
});

test('first grid: voxels in the order x, y, z; sampled features as mean, then variance', () => {
  assertGolden('coarse/grid0', transposed(gridPositions(found.firstPlacement, grid), channelsFirst));
  assertGolden('coarse/sampled0', transposed(found.sampled[0], channelsFirst));
});

test('localiser: twelve numbers, scales, transform, and the centre that it moves the grid to', () => {
  const { raw, scales, linear, translation } = found.localisation!;
  assertGolden('coarse/localiser_raw', raw.dataSync());
  assertGolden('coarse/localiser_scales', scales.dataSync());
  const transform = tf.concat([linear, tf.expandDims(translation, 2)], 2);
  assertGolden('coarse/localiser_transform', transform.dataSync());
  assertGolden('coarse/grid_origin', found.placement.centre.dataSync());
});

test('transformed grid and the features sampled there', () => {
  assertGolden('coarse/grid1', transposed(gridPositions(found.placement, grid), channelsFirst));
  assertGolden('coarse/sampled1', transposed(found.sampled[1], channelsFirst));
});

test('V2V network up to the output layer', () => {
  const picked = tf.stridedSlice(found.back, [0, 1, 2, 3, 0], [1, 32, 32, 32, 128], [1, 4, 4, 4, 1]);
  assertGolden('coarse/v2v_back', transposed(picked, [0, 4, 1, 2, 3]));
});

test('logits: of the first four vertices, and the sum of exponentials of all', () => {
  const weight = state.parameters['sparse_point_net.global_net.output_layer.weight'] as unknown as Tensor5D;
  const bias = state.parameters['sparse_point_net.global_net.output_layer.bias']!;
  tidy(() => {
    const keys = reshape<Tensor2D>(found.back, [32 ** 3, 128]);
    const logits = tf.add(multiply(keys, reshape<Tensor2D>(weight, [128, 642])), bias);
    const firstFour = transposed(tf.slice(logits, [0, 0], [32 ** 3, 4]), [1, 0]);
    assertGolden('coarse/logits_first4', firstFour);
    const sum = tf.logSumExp(logits, 0);
    assertGolden('coarse/logits_lse', sum.dataSync());
    const largest = tf.exp(tf.sub(tf.max(logits, 0), sum));
    assertGolden('coarse/softmax_max', largest.dataSync());
  });
});

test('vertices', () => {
  assertGolden('coarse/vertices', found.vertices.dataSync());
});

test('one view is refused: its variance has no value', () => {
  const { images, intrinsics, extrinsics, distortions } = views;
  const single = {
    images: tf.slice(images, [0, 0, 0, 0, 0], [1, 1, 150, 200, 3]),
    intrinsics: tf.slice(intrinsics, [0, 0, 0, 0], [1, 1, 3, 3]),
    extrinsics: tf.slice(extrinsics, [0, 0, 0, 0], [1, 1, 3, 4]),
    distortions: tf.slice(distortions, [0, 0, 0], [1, 1, 2]),
  };
  const run = (): unknown => coarseIntermediates(state, single, { configuration: goldenCoarse, mode: 'evaluation' });
  assert.throws(() => tidy(run), /two or more/);
});
