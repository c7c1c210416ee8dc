import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { coarseLayout, disposeState, initialState, refinementLayout, type ModelState } from '../../../model/index.js';
import { bindingCalls, tensorMemory, tf, tidy, withoutOwnKernels } from '../../../tensor/index.js';
import { BatchPredictor } from '../../../training/loop/recordedPrediction.js';
import { coarseNetwork } from '../../../training/networks/coarseNetwork.js';
import { refinementNetwork } from '../../../training/networks/refinementNetwork.js';
import type { StageNetwork } from '../../../training/networks/stageNetwork.js';
import type { Batch } from '../../../datasets/types.js';
import { tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const { model } = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
const data = tinyData({ refinement: true });
const { template } = data;
const states: ModelState[] = [];
after(() => states.forEach(disposeState));

function networkOf(stage: 'coarse' | 'refinement'): StageNetwork {
  const coarse = stage === 'coarse';
  const layouts = coarse
    ? coarseLayout(model.coarse, template.vertices.length / 3)
    : refinementLayout(model.refinement);
  const options = { state: initialState(layouts, 4), seed: 4, randomGridRotations: true };
  states.push(options.state);
  return coarse ? coarseNetwork(model.coarse, options) : refinementNetwork(model.refinement, template, options);
}

/** One operation after the other. */
const plainly = (network: StageNetwork, batch: Batch): Float32Array =>
  tidy(() => network.prepare(batch, 'evaluation').forward().vertices.dataSync<'float32'>().slice());

function assertNear(found: Float32Array, expected: Float32Array, millimetres: number): void {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) <= millimetres, `${value}; ${expected[i]}`));
}

/** Its first sample alone. */
function first(batch: Batch): Batch {
  const share = (values: Float32Array): Float32Array => values.slice(0, values.length / batch.shape.batch);
  return {
    ...batch,
    shape: { ...batch.shape, batch: 1 },
    frames: batch.frames.slice(0, 1),
    images: share(batch.images),
    intrinsics: share(batch.intrinsics),
    extrinsics: share(batch.extrinsics),
    distortions: share(batch.distortions),
    cameras: batch.cameras.slice(0, 1),
    coarseVertices: share(batch.coarseVertices!),
  };
}

for (const stage of ['coarse', 'refinement'] as const) {
  describe(`${stage}: a recorded prediction`, () => {
    test('is that of its operations, whatever the batch’s shape, with the weights of the moment', async () => {
      const network = networkOf(stage);
      const predictor = new BatchPredictor(network);
      for (const step of [0, 1]) {
        const whole = await data.batch(step);
        for (const each of [whole, first(whole)]) assertNear(predictor.predict(each), plainly(network, each), 1e-3);
        for (const parameter of Object.values(network.state.parameters)) {
          tidy(() => parameter.assign(tf.mul(parameter, 1.01)));
        }
      }
      const [{ tensors }, before] = [tensorMemory(), bindingCalls()];
      predictor.predict(await data.batch(2));
      assert.equal(tensorMemory().tensors, tensors);
      const { operations, readBacks } = bindingCalls();
      assert.ok(operations - before.operations <= 2, `${operations - before.operations} operations`);
      assert.equal(readBacks - before.readBacks, 1);
      predictor.dispose();
    });
  });
}

test('logits too far apart for a function’s shift are predicted all the same', async () => {
  const network = networkOf('coarse');
  const { parameters } = network.state;
  const name = Object.keys(parameters).find((each) => /output_layer.*weight/.test(each))!;
  tidy(() => parameters[name]!.assign(tf.mul(parameters[name]!, 1e4)));
  const predictor = new BatchPredictor(network);
  const batch = await data.batch(0);
  // Recorded by the operations of a GPU; in tiles no shift is lost.
  const found = withoutOwnKernels(() => predictor.predict(batch));
  assert.ok(found.every(Number.isFinite));
  assertNear(found, plainly(network, batch), 1e-3);
  predictor.dispose();
});
