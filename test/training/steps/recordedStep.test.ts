import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Batch } from '../../../datasets/types.js';
import { countBatches, coarseLayout, disposeState, initialState, type ModelState } from '../../../model/index.js';
import { refinementLayout } from '../../../model/index.js';
import { tensorMemory, tf, tidy, valueAndGradients, type Tensor } from '../../../tensor/index.js';
import { coarseNetwork } from '../../../training/networks/coarseNetwork.js';
import { clipByGlobalNorm } from '../../../training/optimisation/gradientClipping.js';
import { AdamW } from '../../../training/optimisation/optimizer.js';
import { RecordedStep } from '../../../training/loop/recordedStep.js';
import { refinementNetwork } from '../../../training/networks/refinementNetwork.js';
import type { StageNetwork } from '../../../training/networks/stageNetwork.js';
import { tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const { model } = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
const rates = { base: 1e-3, localiser: 1e-4 };
const clipping = 0.5;
type Stage = 'coarse' | 'refinement';

function networkOf(stage: Stage): StageNetwork {
  const { template } = tinyData();
  const layouts =
    stage === 'coarse' ? coarseLayout(model.coarse, template.vertices.length / 3) : refinementLayout(model.refinement);
  const options = { state: initialState(layouts, 4), seed: 4, randomGridRotations: true };
  return stage === 'coarse'
    ? coarseNetwork(model.coarse, options)
    : refinementNetwork(model.refinement, template, options);
}

const batchOf = (step: number): Promise<Batch> => tinyData({ refinement: true }).batch(step);

/** Its samples several times over. */
function repeated(batch: Batch, times: number): Batch {
  const many = <T>(values: readonly T[]): T[] => Array.from({ length: times }, () => values).flat();
  const longer = (values: Float32Array): Float32Array => Float32Array.from(many([...values]));
  return {
    ...batch,
    frames: many(batch.frames),
    viewNames: many(batch.viewNames),
    shape: { ...batch.shape, batch: times * batch.shape.batch },
    images: longer(batch.images),
    intrinsics: longer(batch.intrinsics),
    extrinsics: longer(batch.extrinsics),
    distortions: longer(batch.distortions),
    cameras: many(batch.cameras),
    coarseVertices: longer(batch.coarseVertices!),
  };
}

/** Gradient of a loss by the prediction, one that depends on it. */
const gradientAt = (vertices: Tensor): Tensor => tf.mul(vertices, 1e-3);

/** A step one operation after the other: what the recorded one has to come to. */
function plainStep(network: StageNetwork, optimizer: AdamW, batch: Batch): number {
  let found = NaN;
  tidy(() => {
    const prepared = network.prepare(batch, 'training');
    const { value, gradients } = valueAndGradients(() => {
      const { vertices, statistics } = prepared.forward();
      return { loss: tf.mul(tf.sum(tf.square(vertices)), 0.5e-3), statistics };
    }, network.state.parameters);
    const { norm, gradients: clipped } = clipByGlobalNorm(gradients, clipping);
    optimizer.update(clipped, rates);
    for (const [name, running] of Object.entries(value.statistics)) {
      network.state.buffers[name]!.assign(running);
      running.dispose();
    }
    countBatches(network.state);
    found = norm.dataSync()[0]!;
  });
  return found;
}

/** A step whose gradient by the prediction is `gradientOf` it. @returns the gradients' norm */
async function stepBy(step: RecordedStep, batch: Batch, gradientOf: (vertices: Tensor) => Tensor): Promise<number> {
  const prepared = step.network.prepare(batch, 'training');
  const vertices = await step.forward(prepared);
  const gradient = tidy(() => gradientOf(vertices));
  const norm = (await step.backward(gradient, rates)).read();
  for (const tensor of [...prepared.tensors, vertices, gradient]) tensor.dispose();
  return norm;
}

async function recordedStep(step: RecordedStep, optimizer: AdamW, batch: Batch): Promise<number> {
  const norm = await stepBy(step, batch, gradientAt);
  optimizer.count(Object.keys(step.network.state.parameters), 1);
  countBatches(step.network.state);
  return norm;
}

const numbersOf = ({ parameters, buffers }: ModelState): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries({ ...parameters, ...buffers }).map(([name, values]) => [name, [...values.dataSync()]]),
  );

function assertClose(found: ModelState, expected: ModelState, share: number): void {
  const wanted = numbersOf(expected);
  for (const [name, values] of Object.entries(numbersOf(found))) {
    const scale = Math.max(1e-3, ...wanted[name]!.map(Math.abs));
    values.forEach((value, i) => {
      assert.ok(Math.abs(value - wanted[name]![i]!) <= share * scale, `${name}[${i}] is ${value}; ${wanted[name]![i]}`);
    });
  }
}

for (const stage of ['coarse', 'refinement'] as const) {
  describe(`${stage}: a recorded step`, async () => {
    const plain = networkOf(stage);
    const network = networkOf(stage);
    const plainOptimizer = new AdamW(plain.state.parameters, { weightDecay: 0.01 });
    const optimizer = new AdamW(network.state.parameters, { weightDecay: 0.01 });
    const step = new RecordedStep(network, optimizer, clipping);
    after(() => {
      step.dispose();
      for (const each of [plainOptimizer, optimizer]) each.dispose();
      for (const each of [plain, network]) disposeState(each.state);
    });

    test('comes to what its operations come to one by one, batch after batch', async () => {
      for (let at = 0; at < 4; at++) {
        const batch = await batchOf(at);
        const expected = plainStep(plain, plainOptimizer, batch);
        const norm = await recordedStep(step, optimizer, batch);
        assert.ok(norm > clipping, `gradients of ${norm} are to be clipped`);
        assert.ok(Math.abs(norm - expected) <= 1e-4 * expected, `norm ${norm}; ${expected}`);
        assertClose(network.state, plain.state, 1e-3);
      }
    });

    test('can be recorded with as many pictures as the paper has in a batch', async () => {
      const batch = repeated(await batchOf(7), 6);
      assert.equal(batch.shape.batch * batch.shape.views, 36);
      assert.ok(Number.isFinite(await recordedStep(step, optimizer, batch)));
    });

    test('leaves no tensor behind, applied or discarded', async () => {
      const batch = await batchOf(5);
      await recordedStep(step, optimizer, batch);
      const { tensors } = tensorMemory();
      await recordedStep(step, optimizer, batch);
      const prepared = network.prepare(batch, 'training');
      (await step.forward(prepared)).dispose();
      step.discard();
      for (const tensor of prepared.tensors) tensor.dispose();
      await recordedStep(step, optimizer, batch);
      assert.equal(tensorMemory().tensors, tensors);
    });

    test('changes nothing, to the bit, where a gradient is not finite', async () => {
      const batch = await batchOf(6);
      const before = numbersOf(network.state);
      const momentsOf = (): number[][] =>
        tidy(() => Object.values(optimizer.state()).map((values) => [...values.dataSync()]));
      const moments = momentsOf();
      for (const bad of [NaN, Infinity]) {
        const gradientOf = ({ size, shape }: Tensor): Tensor =>
          tf.tensor(
            Float32Array.from({ length: size }, (_, i) => (i === 3 ? bad : 1)),
            shape,
          );
        assert.ok(!Number.isFinite(await stepBy(step, batch, gradientOf)));
        assert.deepEqual(numbersOf(network.state), before);
        assert.deepEqual(momentsOf(), moments);
      }
    });
  });
}
