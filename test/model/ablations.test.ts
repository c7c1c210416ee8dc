import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coarseLayout, coarseForward, disposeState, initialState, refinementForward } from '../../model/index.js';
import { featureNet } from '../../model/blocks/featureNet.js';
import { Pass } from '../../model/pass.js';
import { automaticMemorySettings } from '../../model/memorySettings.js';
import { refinementIntermediates } from '../../model/refinement.js';
import { projectionCameras } from '../../model/sampling/projection.js';
import { sampleGrid } from '../../model/sampling/sampling.js';
import { frameByZeros, tensorMemory, tf, tidy, type Rank, type Tensor, type Variable } from '../../tensor/index.js';
import { checkGradientLengths } from '../support/gradientCheck.js';
import {
  tinyCoarse,
  tinyRefinement,
  tinyRotations,
  tinyState,
  tinySurface,
  tinyVertexCount,
  tinyVertexRotations,
  tinyViews,
} from '../support/tiny/tinyNetworks.js';

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync<'float32'>());

const unlocalised = { ...tinyCoarse, localiser: { ...tinyCoarse.localiser, enabled: false } };

test('without a localiser the coarse model has none of its tensors, and sees the grid where it lies', () => {
  const layouts = coarseLayout(unlocalised, tinyVertexCount);
  const names = layouts.map(({ name }) => name);
  assert.deepEqual(
    coarseLayout(tinyCoarse, tinyVertexCount)
      .map(({ name }) => name)
      .filter((name) => !names.includes(name))
      .every((name) => name.startsWith('sparse_point_net.grid_refiner.')),
    true,
  );
  assert.ok(!names.some((name) => name.includes('grid_refiner')));
  const state = initialState(layouts, 3);
  const views = tinyViews(2, 3);
  const rotations = tinyRotations(2);
  const options = { configuration: unlocalised, mode: 'evaluation' } as const;
  const { placement, scales, vertices } = coarseForward(state, views, { ...options, rotations });
  assert.deepEqual(numbers(placement.linear), numbers(rotations));
  assert.deepEqual(numbers(placement.centre), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(numbers(scales), [1, 1, 1, 1, 1, 1]);
  const halfDiagonal = Math.sqrt(3) * 1.5 * tinyCoarse.gridSpacing;
  for (const [x, y, z] of vertices.arraySync()[0]!) assert.ok(Math.hypot(x!, y!, z!) <= halfDiagonal);
  const name = 'sparse_point_net.global_net.output_layer.weight';
  checkGradientLengths(
    (replaced) => {
      const changed = { ...state, parameters: { ...state.parameters, ...(replaced as Record<string, Variable>) } };
      return coarseForward(changed, views, { ...options, rotations }).vertices;
    },
    { [name]: state.parameters[name]! },
  );
  const before = tensorMemory().tensors;
  tidy(() => void coarseForward(state, views, options));
  assert.equal(tensorMemory().tensors, before);
  disposeState(state);
});

test('without surface-aware fusion a vertex sees the mean and the variance of all views, as a voxel of the coarse model does', () => {
  const state = tinyState('refinement');
  const views = tinyViews(1, 3);
  const rotations = tinyVertexRotations(1);
  const configuration = { ...tinyRefinement, fusion: 'mean' as const };
  const refine = (of: typeof configuration | typeof tinyRefinement, seen: number) =>
    refinementIntermediates(state, views, tinySurface(1, 3, seen), {
      configuration: of,
      mode: 'evaluation',
      rotations,
    });
  const [found, otherwise] = [refine(configuration, 1), refine(configuration, 0.5)];
  assert.deepEqual(numbers(found.vertices), numbers(otherwise.vertices), 'normals and visibility do not matter');
  assert.notDeepEqual(numbers(refine(tinyRefinement, 1).vertices), numbers(refine(tinyRefinement, 0.5).vertices));

  const [, , height, width] = views.images.shape;
  const memory = automaticMemorySettings('refinement', views.images.shape, configuration, tinyVertexCount);
  const pass = Pass.of(state, 'evaluation', memory);
  const maps = frameByZeros(featureNet(pass.within('feature_net.model'), views.images, configuration.featureNet));
  const cameras = projectionCameras(views, height, width);
  const grid = { side: configuration.gridSide, spacing: configuration.gridSpacing };
  const { vertices } = tinySurface(1, 3, 1);
  const channels = 2 * configuration.featureNet.featureChannels;
  for (const vertex of [0, tinyVertexCount - 1]) {
    const placement = {
      linear: tf.reshape<Rank.R3>(tf.slice(rotations, [0, vertex, 0, 0], [1, 1, 3, 3]), [1, 3, 3]),
      centre: tf.reshape<Rank.R3>(tf.slice(vertices, [0, vertex, 0], [1, 1, 3]), [1, 3, 1]),
    };
    const expected = numbers(sampleGrid(maps, cameras, placement, grid));
    const volume = tf.slice(found.volumes, [vertex, 0, 0, 0, 0], [1, -1, -1, -1, channels]);
    numbers(volume).forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-4, `${value}, ${expected[i]}`));
  }
  const images = { images: views.images } as Record<string, Tensor>;
  checkGradientLengths((replaced) => {
    const given = { ...views, ...replaced } as typeof views;
    return refinementForward(state, given, tinySurface(1, 3, 1), { configuration, mode: 'evaluation', rotations })
      .vertices;
  }, images);
  disposeState(state);
});
