import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counterRandom } from '../../../geometry/random.js';
import { tf, type Tensor, type Variable } from '../../../tensor/index.js';
import { clipByGlobalNorm } from '../../../training/optimisation/gradientClipping.js';
import { AdamW, parameterGroup } from '../../../training/optimisation/optimizer.js';

const localiser = 'sparse_point_net.grid_refiner.mapping.0.weight';
const rates = { base: 1e-3, localiser: 1e-4 };

/** PyTorch's AdamW in float64, for one number. */
class Reference {
  first = 0;
  second = 0;
  steps = 0;
  constructor(
    public value: number,
    private readonly rate: number,
    private readonly decay: number,
  ) {}
  update(gradient: number): void {
    this.steps++;
    this.value *= 1 - this.rate * this.decay;
    this.first = 0.9 * this.first + 0.1 * gradient;
    this.second = 0.999 * this.second + 0.001 * gradient ** 2;
    const denominator = Math.sqrt(this.second) / Math.sqrt(1 - 0.999 ** this.steps) + 1e-8;
    this.value -= (this.rate / (1 - 0.9 ** this.steps)) * (this.first / denominator);
  }
}

function variables(): Record<string, Variable> {
  return {
    'feature_net.conv1.weight': tf.variable(tf.tensor([0.5, -2, 3e-3, 40], [2, 2])),
    [localiser]: tf.variable(tf.tensor([1, -1, 0.25])),
  };
}

const sizes: Record<string, number[]> = { 'feature_net.conv1.weight': [2, 2], [localiser]: [3] };

/** Gradients of step t, from large to tiny, the same at every call. */
function gradientsAt(step: number): Record<string, Tensor> {
  const { gaussian } = counterRandom(5, 'gradients', step);
  const scales = [1e3, 1, 1e-4, 1e-9];
  return Object.fromEntries(
    Object.entries(sizes).map(([name, shape]) => {
      const size = shape.reduce((product, side) => product * side, 1);
      return [
        name,
        tf.tensor(
          Array.from({ length: size }, (_, i) => scales[i]! * gaussian()),
          shape,
        ),
      ];
    }),
  );
}

function run(optimizer: AdamW, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const gradients = gradientsAt(step);
    optimizer.update(gradients, rates);
    tf.dispose(gradients);
  }
}

describe('AdamW', () => {
  test("is PyTorch's: decoupled decay, bias correction, ε outside the root, two learning rates", () => {
    const parameters = variables();
    const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
    const references = Object.entries(parameters).map(([name, parameter]) => {
      const rate = rates[parameterGroup(name)];
      return { name, numbers: Array.from(parameter.dataSync(), (value) => new Reference(value, rate, 0.01)) };
    });
    for (let step = 0; step < 25; step++) {
      const gradients = gradientsAt(step);
      for (const { name, numbers } of references) {
        const values = gradients[name]!.dataSync();
        numbers.forEach((number, i) => number.update(values[i]!));
      }
      optimizer.update(gradients, rates);
      tf.dispose(gradients);
      if (![0, 1, 24].includes(step)) continue;
      for (const { name, numbers } of references) {
        parameters[name]!.dataSync().forEach((value, i) => {
          const expected = numbers[i]!.value;
          // Two roundings to float32 a step, and 1e-4 of the steps' own lengths.
          const allowed = (1.2e-7 * Math.abs(expected) + 1e-4 * rates[parameterGroup(name)]) * (step + 1);
          assert.ok(
            Math.abs(value - expected) <= allowed,
            `step ${step} ${name}[${i}] is ${value}; PyTorch ${expected}`,
          );
        });
      }
    }
    optimizer.dispose();
    tf.dispose(parameters);
  });

  test('a parameter without a gradient stays bit for bit, and its count of updates with it', () => {
    const parameters = variables();
    const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
    const before = [...parameters[localiser]!.dataSync()];
    const { 'feature_net.conv1.weight': gradient } = gradientsAt(0);
    optimizer.update({ 'feature_net.conv1.weight': gradient! }, rates);
    assert.deepEqual([...parameters[localiser]!.dataSync()], before);
    const state = optimizer.state();
    assert.equal(state[`${localiser}.step`]!.dataSync()[0], 0);
    assert.equal(state['feature_net.conv1.weight.step']!.dataSync()[0], 1);
    optimizer.dispose();
    tf.dispose([parameters, state]);
  });

  test('restored from its state it goes on bit for bit', () => {
    const straight = variables();
    const whole = new AdamW(straight, { weightDecay: 0.01 });
    run(whole, 0, 12);

    const first = variables();
    const interrupted = new AdamW(first, { weightDecay: 0.01 });
    run(interrupted, 0, 7);
    const state = interrupted.state();
    const saved = Object.fromEntries(Object.entries(first).map(([name, value]) => [name, value.clone()]));
    // What was saved is a snapshot: the run that goes on beside the upload must not write into it.
    run(interrupted, 7, 9);
    const second = Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, tf.variable(value)]));
    const resumed = new AdamW(second, { weightDecay: 0.01 });
    resumed.restore(state);
    run(resumed, 7, 12);
    for (const name of Object.keys(straight)) {
      assert.deepEqual([...second[name]!.dataSync()], [...straight[name]!.dataSync()], name);
    }
    for (const optimizer of [whole, interrupted, resumed]) optimizer.dispose();
    tf.dispose([straight, first, second, saved, state]);
  });

  test('a state that does not fit is refused by name', () => {
    const parameters = variables();
    const optimizer = new AdamW(parameters, { weightDecay: 0 });
    const state = optimizer.state();
    const { [`${localiser}.exp_avg`]: removed, ...incomplete } = state;
    assert.throws(() => optimizer.restore(incomplete), /grid_refiner\.mapping\.0\.weight\.exp_avg is missing/);
    assert.throws(() => optimizer.restore({ ...state, 'other.exp_avg': removed! }), /other\.exp_avg belongs to no/);
    const misshapen = { ...state, [`${localiser}.exp_avg_sq`]: tf.zeros([4]) };
    assert.throws(() => optimizer.restore(misshapen), /exp_avg_sq: a moment of \[4\] for a parameter of \[3\]/);
    optimizer.dispose();
    tf.dispose([parameters, state, misshapen]);
  });

  test('gradients that do not fit are refused by name', () => {
    const parameters = variables();
    const optimizer = new AdamW(parameters, { weightDecay: 0 });
    const stranger = tf.zeros([3]);
    assert.throws(() => optimizer.update({ 'layer9.weight': stranger }, rates), /layer9\.weight/);
    assert.throws(() => optimizer.update({ 'feature_net.conv1.weight': stranger }, rates), /\[3\] of .* \[2, 2\]/);
    optimizer.dispose();
    tf.dispose([parameters, stranger]);
  });

  test('updates leave no tensor behind, and dispose frees the moments', () => {
    const parameters = variables();
    const empty = tf.memory().numTensors;
    const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
    run(optimizer, 0, 1);
    const before = tf.memory().numTensors;
    run(optimizer, 1, 4);
    assert.equal(tf.memory().numTensors, before);
    optimizer.dispose();
    assert.equal(tf.memory().numTensors, empty);
    tf.dispose(parameters);
  });

  test('works inside a tidy, as a step does', () => {
    const parameters = variables();
    const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
    tf.tidy(() => optimizer.update(gradientsAt(0), rates));
    tf.tidy(() => optimizer.update(gradientsAt(1), rates));
    const outside = variables();
    const other = new AdamW(outside, { weightDecay: 0.01 });
    run(other, 0, 2);
    assert.deepEqual([...parameters[localiser]!.dataSync()], [...outside[localiser]!.dataSync()]);
    optimizer.dispose();
    other.dispose();
    tf.dispose([parameters, outside]);
  });
});

test('only the grid localiser has the slow rate', () => {
  assert.equal(parameterGroup(localiser), 'localiser');
  assert.equal(parameterGroup('sparse_point_net.global_net.output_layer.weight'), 'base');
  assert.equal(parameterGroup('local_densify_net.local_net.output_layer.weight'), 'base');
});

describe('clipByGlobalNorm', () => {
  const gradients = { a: tf.tensor([3, 0], [2, 1]), b: tf.tensor([4]), c: tf.scalar(12) };
  const values = (clipped: Readonly<Record<string, Tensor>>): number[] =>
    Object.values(clipped).flatMap((gradient) => [...gradient.dataSync()]);
  const number = (tensor: Tensor): number => tensor.dataSync()[0]!;

  test('scales all gradients alike when their common norm is above the limit', () => {
    tf.tidy(() => {
      const { norm, gradients: clipped } = clipByGlobalNorm(gradients, 6.5);
      assert.equal(number(norm), 13);
      values(clipped).forEach((value, i) => assert.ok(Math.abs(value - [1.5, 0, 2, 6][i]!) < 1e-6));
      assert.deepEqual(clipped.a!.shape, [2, 1]);
    });
  });

  test('leaves them alone below the limit, and without one', () => {
    tf.tidy(() => {
      for (const limit of [14, null]) {
        const { norm, gradients: clipped } = clipByGlobalNorm(gradients, limit);
        assert.deepEqual(values(clipped), values(gradients));
        assert.equal(number(norm), 13);
      }
    });
  });

  test('shows a gradient that is not finite by its norm, and lets none of them through', () => {
    tf.tidy(() => {
      const bad = tf.tensor([1, NaN]);
      const { norm, isFinite, gradients: clipped } = clipByGlobalNorm({ ...gradients, bad }, 6.5);
      assert.ok(Number.isNaN(number(norm)));
      assert.equal(number(isFinite), 0);
      assert.deepEqual(values(clipped), [0, 0, 0, 0, 0, 0]);
    });
  });
});
