import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { coarseModelSchema, refinementModelSchema } from '../../configs/schema/model.js';
import {
  coarseLayout,
  disposeState,
  fromPublished,
  initialState,
  isFeatureNetTensor,
  isLocaliserParameter,
  refinementLayout,
  toPublished,
} from '../../model/index.js';
import { initialValues, modelState } from '../../model/parameters/modelState.js';
import { tensorMemory } from '../../tensor/index.js';
import { goldenPath } from '../support/golden/golden.js';
import { goldenLayout } from '../support/golden/goldenModel.js';

const layoutNamed = (stage: 'coarse' | 'refinement', name: string) => {
  const layout = goldenLayout(stage).find((layout) => layout.name === name);
  assert.ok(layout, name);
  return layout;
};

for (const stage of ['coarse', 'refinement'] as const) {
  test(`${stage}: tensors have the published names, shapes and order`, () => {
    const published = JSON.parse(readFileSync(goldenPath(`${stage}/state_dict.json`), 'utf8')) as Record<
      string,
      number[]
    >;
    const ours = goldenLayout(stage).map(({ name, publishedShape }) => [name, [...publishedShape]]);
    assert.deepEqual(ours, Object.entries(published));
  });
}

test('the number of parameters is the published one', () => {
  const count = (layouts: ReturnType<typeof coarseLayout>): number =>
    layouts
      .filter(({ role }) => role === 'parameter')
      .reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  assert.equal((count(coarseLayout(coarseModelSchema.parse({}), 642)) / 1e6).toFixed(2), '34.86');
  assert.equal((count(refinementLayout(refinementModelSchema.parse({}))) / 1e6).toFixed(2), '27.46');
});

test('layouts convert to channels last and back', () => {
  const convolution = layoutNamed('coarse', 'sparse_point_net.global_net.front_layers.1.res_branch.0.weight');
  const [o, i, d, h, w] = [5, 3, 0, 2, 1];
  const published = new Float32Array(32 * 16 * 27);
  published[(((o * 16 + i) * 3 + d) * 3 + h) * 3 + w] = 7;
  const ours = fromPublished(convolution, published);
  assert.equal(ours[(((d * 3 + h) * 3 + w) * 16 + i) * 32 + o], 7);
  assert.deepEqual(toPublished(convolution, ours), published);

  const raised = layoutNamed('coarse', 'sparse_point_net.global_net.encoder_decoder.decoder_upsample1.block.0.weight');
  const upwards = new Float32Array(64 * 32 * 8);
  upwards[(((9 * 32 + 4) * 2 + 1) * 2 + 0) * 2 + 1] = 3;
  assert.equal(fromPublished(raised, upwards)[(((1 * 2 + 0) * 2 + 1) * 32 + 4) * 64 + 9], 3);

  // The localiser flattens 32 channels of 8³ voxels, channels first there and last here.
  const linear = layoutNamed('coarse', 'sparse_point_net.grid_refiner.mapping.0.weight');
  const matrix = new Float32Array(96 * 16384);
  matrix[20 * 16384 + 6 * 512 + 77] = 2;
  assert.equal(fromPublished(linear, matrix)[(77 * 32 + 6) * 96 + 20], 2);
  assert.deepEqual(toPublished(linear, fromPublished(linear, matrix)), matrix);
  assert.throws(() => fromPublished(linear, new Float32Array(3)), /mapping\.0\.weight has 3 values/);
});

test('initial values follow the specification, and depend on seed and name alone', () => {
  const deviation = (name: string): number => {
    const values = Array.from(initialValues(layoutNamed('coarse', name), 0));
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  const global = 'sparse_point_net.global_net';
  const close = (found: number, expected: number): void =>
    assert.ok(Math.abs(found / expected - 1) < 0.03, `${found}, not ${expected}`);
  // Xavier: √(2 / ((in + out) · 27)); Kaiming over the outgoing fan: √(2 / (out · 9)).
  close(deviation(`${global}.encoder_decoder.mid_res.res_branch.0.weight`), Math.sqrt(2 / (256 * 27)));
  close(deviation(`${global}.encoder_decoder.decoder_upsample3.block.0.weight`), Math.sqrt(2 / (256 * 8)));
  close(deviation('feature_net.model.resnet34_32s.layer2.0.conv1.weight'), Math.sqrt(2 / (128 * 9)));
  close(deviation('sparse_point_net.grid_refiner.localization.4.weight'), 0.001);
  // Uniform ± 1/√fan: a deviation of the bound over √3.
  close(deviation('sparse_point_net.grid_refiner.mapping.0.weight'), 1 / Math.sqrt(3 * 16384));
  close(deviation('feature_net.model.skip5.weight'), 1 / Math.sqrt(3 * 512));

  const values = (name: string, seed = 0): number[] => Array.from(initialValues(layoutNamed('coarse', name), seed));
  assert.ok(values('sparse_point_net.grid_refiner.mapping.2.weight').every((value) => value === 0));
  const identity = [3, 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0];
  assert.deepEqual(values('sparse_point_net.grid_refiner.mapping.2.bias'), identity);
  assert.ok(values(`${global}.front_layers.0.block.0.bias`).every((value) => value === 0));
  assert.ok(values('feature_net.model.resnet34_32s.bn1.running_var').every((value) => value === 1));
  assert.deepEqual(values('feature_net.model.resnet34_32s.bn1.num_batches_tracked'), [0]);
  assert.deepEqual(values('feature_net.model.skip1.weight'), values('feature_net.model.skip1.weight'));
  assert.notDeepEqual(values('feature_net.model.skip1.weight'), values('feature_net.model.skip1.weight', 1));
});

test('a state takes loaded values where there are some, refuses those that do not fit, and is freed whole', () => {
  const configuration = refinementModelSchema.parse({
    featureNet: { stemChannels: 4, layerChannels: [4, 4, 4, 4], layerBlocks: [1, 1, 1, 1], featureChannels: 2 },
    v2v: { frontChannels: 2, baseChannels: 2, encoderChannels: [2], pooledLevels: 1, backChannels: [2, 2] },
  });
  const before = tensorMemory().tensors;
  const layouts = refinementLayout(configuration);
  const state = initialState(layouts, 0, ({ name, shape }) =>
    name === 'feature_net.model.skip2.bias' ? new Float32Array(shape[0]!).fill(9) : undefined,
  );
  assert.deepEqual(Array.from(state.parameters['feature_net.model.skip2.bias']!.dataSync()), [9, 9]);
  assert.equal(Object.keys(state.parameters).length + Object.keys(state.buffers).length, layouts.length);
  disposeState(state);
  assert.equal(tensorMemory().tensors, before);
  assert.throws(() => modelState(layouts.slice(0, 1), () => new Float32Array(1)), /conv1\.weight has 1 values/);
});

test('a level that is not pooled must keep its width, for nothing leads back', () => {
  const v2v = { frontChannels: 2, baseChannels: 8, encoderChannels: [8, 16], pooledLevels: 1, backChannels: [2, 2] };
  assert.throws(
    () => refinementLayout(refinementModelSchema.parse({ v2v })),
    /encoderChannels\[1\] is 16, but 8 enter/,
  );
});

test('the localiser and the feature net are recognised by their names', () => {
  const names = goldenLayout('coarse').map(({ name }) => name);
  assert.equal(names.filter(isLocaliserParameter).length, 4 + 2 * 2 * 3 + 2);
  assert.equal(names.filter(isFeatureNetTensor).length, 36 + 36 * 5 + 5 * 2);
});
