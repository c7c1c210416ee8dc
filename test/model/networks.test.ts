import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  automaticMemorySettings,
  coarseForward,
  disposeState,
  countBatches,
  disposeStatistics,
  refinementForward,
  type ModelState,
  type ViewTensors,
} from '../../model/index.js';
import {
  tensorMemory,
  tf,
  tidy,
  valueAndGradients,
  vectors,
  withoutOwnKernels,
  type Tensor,
  type Tensor3D,
  type Variable,
} from '../../tensor/index.js';
import type { MemorySettings } from '../../model/types.js';
import { goldenCoarse, goldenRefinement } from '../support/golden/goldenModel.js';
import { checkGradientLengths } from '../support/gradientCheck.js';
import {
  tinyCoarse,
  tinyRefinement,
  tinyRotations,
  tinyState,
  tinySurface,
  tinyVertexRotations,
  tinyViews,
} from '../support/tiny/tinyNetworks.js';

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync<'float32'>());

/** A state with some of its tensors replaced. */
function withParameters(state: ModelState, replaced: Record<string, Tensor>): ModelState {
  return { ...state, parameters: { ...state.parameters, ...(replaced as Record<string, Variable>) } };
}

/** Picks a state's parameters by name. */
function picked(state: ModelState, names: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name) => [name, state.parameters[name]!]));
}

test('coarse: gradients by images, cameras, and parameters of every part', () => {
  const state = tinyState('coarse');
  const views = tinyViews(2, 3);
  const rotations = tinyRotations(2);
  const run = (state: ModelState, views: ViewTensors): Tensor =>
    coarseForward(state, views, { configuration: tinyCoarse, mode: 'evaluation', rotations }).vertices;
  const names = [
    'feature_net.model.skip4.weight',
    'sparse_point_net.grid_refiner.mapping.2.weight',
    'sparse_point_net.grid_refiner.localization.0.weight',
    'sparse_point_net.global_net.encoder_decoder.decoder_upsample1.block.0.weight',
    'sparse_point_net.global_net.output_layer.weight',
  ];
  checkGradientLengths((replaced) => run(withParameters(state, replaced), views), picked(state, names));
  const { images, extrinsics } = views;
  checkGradientLengths(({ images }) => run(state, { ...views, images: images as ViewTensors['images'] }), { images });
  checkGradientLengths(
    ({ extrinsics }) => run(state, { ...views, extrinsics: extrinsics as ViewTensors['extrinsics'] }),
    { extrinsics },
    // Millimetres and rotations at once: only very near is it linear.
    { step: 1e-4 },
  );
});

test('refinement: gradients by images and parameters of every part', () => {
  const state = tinyState('refinement');
  const views = tinyViews(2, 3);
  const rotations = tinyVertexRotations(2);
  const surface = tinySurface(2, 3);
  const run = (state: ModelState, views: ViewTensors): Tensor =>
    refinementForward(state, views, surface, { configuration: tinyRefinement, mode: 'evaluation', rotations }).vertices;
  const names = [
    'feature_net.model.skip1.weight',
    'local_densify_net.local_net.encoder_decoder.skip_res2.res_branch.3.weight',
    'local_densify_net.local_net.output_layer.weight',
  ];
  checkGradientLengths((replaced) => run(withParameters(state, replaced), views), picked(state, names));
  const front = picked(state, ['local_densify_net.local_net.front_layers.0.block.0.weight']);
  checkGradientLengths((replaced) => run(withParameters(state, replaced), views), front, { step: 2e-4 });
  const { images } = views;
  checkGradientLengths(({ images }) => run(state, { ...views, images: images as ViewTensors['images'] }), { images });
});

test('rematerialised or kept, in one chunk or many: the same vertices, gradients and statistics', () => {
  const rotations = tinyRotations(2);
  const vertexRotations = tinyVertexRotations(2);
  const surface = tinySurface(2, 3);
  const views = tinyViews(2, 3);
  for (const stage of ['coarse', 'refinement'] as const) {
    const state = tinyState(stage);
    const results = [
      { rematerialize: false, groups: false, chunkBytes: 1e9 },
      { rematerialize: true, groups: true, keptInputBytes: 0, chunkBytes: 3000 },
    ].map((memory) =>
      valueAndGradients(() => {
        const { vertices, statistics } =
          stage === 'coarse'
            ? coarseForward(state, views, { configuration: tinyCoarse, mode: 'training', rotations, memory })
            : refinementForward(state, views, surface, {
                configuration: tinyRefinement,
                mode: 'training',
                rotations: vertexRotations,
                memory,
              });
        return { loss: tf.sum(tf.square(vertices)), vertices, statistics };
      }, state.parameters),
    );
    const [kept, again] = results;
    const close = (a: Tensor, b: Tensor, name: string): void => {
      const scale = Math.max(1e-3, ...numbers(a).map(Math.abs));
      const [x, y] = [numbers(a), numbers(b)];
      assert.ok(
        x.every((value, i) => Math.abs(value - y[i]!) <= 2e-3 * scale),
        name,
      );
    };
    assert.deepEqual(Object.keys(kept!.value.statistics), Object.keys(again!.value.statistics));
    close(kept!.value.vertices, again!.value.vertices, 'vertices');
    for (const name of Object.keys(kept!.gradients)) close(kept!.gradients[name]!, again!.gradients[name]!, name);
    for (const { value } of results) disposeStatistics(value.statistics);
  }
});

test('how much is kept for the backward pass depends on the device, and changes no bit', () => {
  const views = tinyViews(2, 3);
  for (const stage of ['coarse', 'refinement'] as const) {
    const state = tinyState(stage);
    const shared = { mode: 'training' } as const;
    const gradientsWith = (memory: Partial<MemorySettings>): Float32Array[] =>
      tidy(() => {
        const { value, gradients } = valueAndGradients(() => {
          const { vertices, statistics } =
            stage === 'coarse'
              ? coarseForward(state, views, { ...shared, configuration: tinyCoarse, memory })
              : refinementForward(state, views, tinySurface(2, 3), {
                  ...shared,
                  configuration: tinyRefinement,
                  memory,
                });
          return { loss: tf.sum(tf.square(vertices)), statistics };
        }, state.parameters);
        disposeStatistics(value.statistics);
        return Object.values(gradients).map((gradient) => Float32Array.from(numbers(gradient)));
      });
    const all = gradientsWith({ rematerialize: false, groups: false, keepSoftmax: true, keepSamples: true });
    for (const keptInputBytes of [0, 2048, 16384]) {
      for (const groups of [false, true]) {
        const name = `${stage}, ${keptInputBytes} bytes, ${groups ? 'groups' : 'blocks'}`;
        const least = { rematerialize: true, groups, keptInputBytes, keepSoftmax: false, keepSamples: false };
        assert.deepEqual(gradientsWith(least), all, name);
      }
    }
  }
});

test('statistics: all layers report once, are written and counted, and nothing of a step is left behind', () => {
  const state = tinyState('coarse');
  const views = tinyViews(2, 3);
  const step = (): void =>
    tidy(() => {
      const { value } = valueAndGradients(() => {
        const output = coarseForward(state, views, {
          configuration: tinyCoarse,
          mode: 'training',
          rotations: tinyRotations(2),
        });
        return { loss: tf.sum(output.vertices), statistics: output.statistics };
      }, state.parameters);
      const reported = Object.keys(value.statistics).sort();
      assert.deepEqual(
        reported,
        Object.keys(state.buffers)
          .filter((name) => !name.endsWith('tracked'))
          .sort(),
      );
      for (const [name, running] of Object.entries(value.statistics)) state.buffers[name]!.assign(running);
      disposeStatistics(value.statistics);
      countBatches(state);
    });
  const name = 'feature_net.model.resnet34_32s.bn1';
  const before = numbers(state.buffers[`${name}.running_mean`]!);
  step();
  assert.notDeepEqual(numbers(state.buffers[`${name}.running_mean`]!), before);
  const handles = tensorMemory().tensors;
  step();
  step();
  assert.equal(tensorMemory().tensors, handles);
  assert.deepEqual(numbers(state.buffers[`${name}.num_batches_tracked`]!), [3]);
  const evaluated = coarseForward(state, views, { configuration: tinyCoarse, mode: 'evaluation' });
  assert.deepEqual(evaluated.statistics, {});
  disposeState(state);
});

test('random grid rotations change what is sampled; the placement tells where the grid ended up', () => {
  const state = tinyState('coarse');
  const views = tinyViews(1, 3);
  const run = (rotations?: Tensor3D) =>
    coarseForward(state, views, { configuration: tinyCoarse, mode: 'evaluation', ...(rotations ? { rotations } : {}) });
  const [plain, rotated] = [run(), run(tinyRotations(1))];
  assert.notDeepEqual(numbers(plain.vertices), numbers(rotated.vertices));
  const linear = plain.placement.linear.arraySync()[0]!;
  const scales = numbers(plain.scales);
  linear.forEach((row, axis) => assert.ok(Math.abs(Math.hypot(...row) - scales[axis]!) < 1e-6));
  const centre = numbers(plain.placement.centre);
  const halfDiagonal = Math.sqrt(3) * 2 * 60 * Math.max(...scales);
  for (const vertex of plain.vertices.arraySync()[0]!) {
    assert.ok(Math.hypot(...vertex.map((value, axis) => value - centre[axis]!)) <= halfDiagonal);
  }
});

test('what cannot work is refused by name', () => {
  const state = tinyState('refinement');
  const one = tinyViews(1, 1);
  const options = { configuration: tinyRefinement, mode: 'evaluation' } as const;
  assert.throws(() => refinementForward(state, one, tinySurface(1, 1), options), /1 view was given/);
  const empty = { parameters: {}, buffers: {} };
  const run = (): unknown => coarseForward(empty, tinyViews(1, 2), { configuration: tinyCoarse, mode: 'evaluation' });
  assert.throws(run, /no parameter feature_net\.model\.resnet34_32s\.conv1\.weight/);
});

test('only what would not fit is rematerialised: refinement at paper size', () => {
  const refinement = (views: number, batch: number, gigabytes: number): MemorySettings =>
    automaticMemorySettings('refinement', [batch, views, 300, 400, 3], goldenRefinement, 5023, gigabytes * 1e9);
  assert.equal(refinement(16, 2, 3).rematerialize, true);
  assert.equal(automaticMemorySettings('coarse', [2, 3, 24, 32, 3], tinyCoarse).rematerialize, false);
  assert.equal(automaticMemorySettings('coarse', [2, 16, 150, 200, 3], goldenCoarse).rematerialize, false);
  // Of three gigabytes the levels of 4³ and 2³ voxels are kept, of two those of 2³; a GPU keeps all.
  const array = (side: number, channels: number): number => 4 * 5023 * side ** 3 * channels;
  assert.equal(refinement(8, 1, 3).keptInputBytes, array(4, 64));
  assert.ok(refinement(8, 1, 2).keptInputBytes < array(4, 64) && refinement(8, 1, 2).keptInputBytes >= array(2, 128));
  assert.equal(refinement(16, 1, 0.4 * 80).rematerialize, false);
  assert.deepEqual(
    [3, 0.4 * 80].map((gigabytes) => refinement(8, 1, gigabytes).keepSamples),
    [false, true],
  );
  const softmaxKept = (gigabytes: number): boolean =>
    automaticMemorySettings('coarse', [2, 8, 150, 200, 3], goldenCoarse, 5023, gigabytes * 1e9).keepSoftmax;
  assert.deepEqual(
    withoutOwnKernels(() => [3, 0.4 * 40].map(softmaxKept)),
    [false, true],
  );
  // Of our kernel's logits an eighth of 24 GiB has enough, the least budget has not.
  if (vectors === 'avx2') assert.deepEqual([2 * 1.074, 3.2].map(softmaxKept), [false, true]);
});
