import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Batch } from '../../../datasets/types.js';
import { coarseLayout, disposeState, initialState, type ModelState } from '../../../model/index.js';
import {
  bindingCalls,
  tensorMemory,
  tf,
  tidy,
  withExactShifts,
  withoutOwnKernels,
  type BindingCalls,
} from '../../../tensor/index.js';
import { RecordedStep } from '../../../training/loop/recordedStep.js';
import {
  beginStep,
  finishStep,
  prepareStep,
  trainingStep,
  type TrainingStepOptions,
} from '../../../training/loop/trainingStep.js';
import { TrainingLoss } from '../../../training/losses/trainingLoss.js';
import { coarseNetwork } from '../../../training/networks/coarseNetwork.js';
import { AdamW } from '../../../training/optimisation/optimizer.js';
import { tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const { model, training } = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
const stage = training['coarse-pretraining'];
const data = tinyData();
const loss = new TrainingLoss(data.template, data.regions, stage);
const opened: { dispose(): void }[] = [];
after(async () => {
  for (const each of opened) each.dispose();
  await loss.close();
});

/** What a step of a network of its own needs; the same numbers every time. */
function stepOptions(change: (state: ModelState) => void = () => undefined): TrainingStepOptions {
  const state = initialState(coarseLayout(model.coarse, data.template.vertices.length / 3), 4);
  change(state);
  const network = coarseNetwork(model.coarse, { state, seed: 4, randomGridRotations: true });
  const optimizer = new AdamW(state.parameters, { weightDecay: 0.01 });
  const step = new RecordedStep(network, optimizer, stage.gradientClipping);
  opened.push(step, optimizer, { dispose: () => disposeState(state) });
  return { step, loss, optimizer, stage, measureDistance: false, keepPrediction: true };
}

const numbersOf = ({ step }: TrainingStepOptions): number[][] =>
  Object.values(step.network.state.parameters).map((values) => [...values.dataSync()]);

async function callsOf(f: () => Promise<unknown>): Promise<BindingCalls> {
  const before = bindingCalls();
  await f();
  const now = bindingCalls();
  return Object.fromEntries(
    Object.entries(now).map(([name, count]) => [name, count - before[name as keyof BindingCalls]]),
  ) as unknown as BindingCalls;
}

test('a step calls TensorFlow a few times: two functions, and no number is waited for but prediction and norm', async () => {
  const options = stepOptions();
  await trainingStep(await data.batch(0), options);
  const batch = await data.batch(1);
  const { functions, readBacks, operations, uploads } = await callsOf(() => trainingStep(batch, options));
  assert.equal(functions, 2);
  assert.equal(readBacks, 2);
  assert.ok(operations + uploads <= 20, `${operations} operations, ${uploads} uploads`);
});

test('the norm is not waited for before the next prediction is under way', async () => {
  const options = stepOptions();
  await trainingStep(await data.batch(0), options);
  const begun = await beginStep(prepareStep(await data.batch(1), options.step), options);
  let pending = await finishStep(begun, options);
  const next = await data.batch(2);
  const sequence = await callsOf(async () => {
    const following = await beginStep(prepareStep(next, options.step), options);
    assert.ok(pending.outcome().applied);
    pending = await finishStep(following, options);
  });
  // One prediction, and the norm of the step before it, which came first.
  assert.equal(sequence.readBacks, 2);
  assert.ok(pending.outcome().applied);

  const plain = stepOptions();
  for (const step of [0, 1, 2]) await trainingStep(await data.batch(step), plain);
  assert.deepEqual(numbersOf(options), numbersOf(plain), 'to the bit what steps one after the other come to');
});

test('JavaScript goes on while TensorFlow computes', async () => {
  const options = stepOptions();
  await trainingStep(await data.batch(0), options);
  let turns = 0;
  // A pass takes milliseconds: on a busy machine this thread may not get its turn in one, but in one of several.
  for (let pass = 1; pass <= 5 && turns <= 10; pass++) {
    turns = 0;
    let isRunning = true;
    const turn = (): void => {
      turns++;
      if (isRunning) setImmediate(turn);
    };
    setImmediate(turn);
    const vertices = await options.step.forward(options.step.network.prepare(await data.batch(pass), 'training'));
    isRunning = false;
    options.step.discard();
    vertices.dispose();
  }
  assert.ok(turns > 10, `${turns} turns of the event loop during a forward pass`);
});

test('a batch that the network refuses changes nothing, and leaves nothing that the next step would take', async () => {
  const [disturbed, plain] = [stepOptions(), stepOptions()];
  const run = async (options: TrainingStepOptions, batch: Batch): Promise<boolean> =>
    (await trainingStep(batch, options)).applied;
  for (const options of [disturbed, plain]) assert.ok(await run(options, await data.batch(0)));
  const good = await data.batch(1);
  const { tensors } = tensorMemory();
  // Where the views' points fall is then not a number either.
  const intrinsics = good.intrinsics.map(() => NaN);
  assert.equal(await run(disturbed, { ...good, intrinsics }), false);
  assert.equal(tensorMemory().tensors, tensors);
  for (const options of [disturbed, plain]) assert.ok(await run(options, good));
  assert.deepEqual(numbersOf(disturbed), numbersOf(plain));
});

test('where logits are too far apart for the usual shift, the step runs again with exact shifts', async () => {
  const farApart = (state: ModelState): void => {
    const [name] = Object.keys(state.parameters).filter((each) => /output_layer.*weight/.test(each));
    const parameter = state.parameters[name!]!;
    tidy(() => parameter.assign(tf.mul(parameter, 1e4)));
  };
  const options = stepOptions(farApart);
  const batch = await data.batch(0);
  const prepared = options.step.network.prepare(batch, 'training');
  // Recorded by the operations of a GPU; in tiles no shift is lost.
  const usual = await withoutOwnKernels(() => options.step.forward(prepared));
  options.step.discard();
  assert.ok([...usual.dataSync()].some(Number.isNaN), 'the usual shift is lost here');
  const expected = tidy(() => [...withExactShifts(() => prepared.forward()).vertices.dataSync()]);
  const { applied, prediction, gradientNorm } = await trainingStep(batch, options);
  assert.ok(applied && Number.isFinite(gradientNorm));
  prediction!.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-2, `${value}; ${expected[i]}`));
});
