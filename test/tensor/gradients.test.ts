import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convolution3d,
  hostLoss,
  isRecomputing,
  multiply,
  normalizeByBatch,
  relu,
  forwardPass,
  keepTogether,
  rematerialize,
  resetPeak,
  tensorMemory,
  tf,
  valueAndGradients,
  type Rank,
  type Tensor,
  type Tensor1D,
  type Tensor5D,
} from '../../tensor/index.js';
import { randomTensor } from '../support/gradientCheck.js';

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync<'float32'>());

test('gradients flow through tf operations and our kernels alike, and sum where a tensor is used twice', () => {
  const x = tf.tensor([[1, 2]]);
  const w = tf.tensor([
    [3, -1],
    [0.5, 2],
  ]);
  const { value, gradients } = valueAndGradients(
    () => {
      const y = relu(multiply(x, w));
      return { loss: tf.sum(tf.add(tf.square(y), tf.mul(3, y))), y };
    },
    { x, w },
  );
  // y = (4, 3); dL/dy = 2y + 3 = (11, 9)
  assert.deepEqual(numbers(value.y), [4, 3]);
  assert.equal(numbers(value.loss)[0], 46);
  assert.deepEqual(numbers(gradients.x!), [11 * 3 - 9, 11 * 0.5 + 9 * 2]);
  assert.deepEqual(numbers(gradients.w!), [11, 9, 22, 18]);
});

test('a parameter that the loss does not depend on gets a zero gradient; a loss of two numbers is refused', () => {
  const [a, b] = [tf.scalar(2), tf.tensor([1, 2])];
  const { gradients } = valueAndGradients(() => ({ loss: tf.square(a) }), { a, b });
  assert.deepEqual(numbers(gradients.b!), [0, 0]);
  assert.throws(() => valueAndGradients(() => ({ loss: tf.mul(a, b) }), { a }), /one number/);
});

test('a loss computed on the host hands its gradient on', () => {
  const x = tf.tensor([1, -2, 3]);
  const { value, gradients } = valueAndGradients(
    () => {
      const doubled = tf.mul(2, x);
      const loss = hostLoss(doubled, (values) => ({
        loss: values.reduce((sum, value) => sum + value ** 2, 0),
        gradient: values.map((value) => 2 * value),
      }));
      return { loss: tf.mul(0.5, loss) };
    },
    { x },
  );
  assert.equal(numbers(value.loss)[0], 28);
  assert.deepEqual(numbers(gradients.x!), [4, -8, 12]);
});

interface Block {
  readonly x: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
  readonly scale: Tensor;
  readonly offset: Tensor;
}

function blockInputs(): Block {
  return {
    x: randomTensor('x', [2, 8, 8, 8, 8]),
    first: randomTensor('a', [3, 3, 3, 8, 8], 0.1),
    second: randomTensor('b', [3, 3, 3, 8, 8], 0.1),
    scale: randomTensor('s', [8], 0.1, 1),
    offset: randomTensor('o', [8]),
  };
}

/** Two blocks of convolution and normalisation, each as `wrap` runs it. Reports how often statistics were collected. */
function twoBlocks(
  inputs: Block,
  wrap: (f: (x: Tensor) => [Tensor], x: Tensor) => Tensor,
): { loss: Tensor; reports: number } {
  let reports = 0;
  const block =
    (filter: Tensor) =>
    (x: Tensor): [Tensor] => {
      const convolved = convolution3d(x as Tensor5D, filter as Tensor5D, { stride: 1, padding: 1 });
      const statistics = { runningMean: tf.zeros<Rank.R1>([8]), runningVariance: tf.ones<Rank.R1>([8]) };
      const layer = { scale: inputs.scale as Tensor1D, offset: inputs.offset as Tensor1D, ...statistics };
      if (!isRecomputing()) reports++;
      return [relu(normalizeByBatch(convolved, layer).y)];
    };
  const y = wrap(block(inputs.second), wrap(block(inputs.first), inputs.x));
  return { loss: tf.sum(tf.mul(y, randomTensor('w', y.shape))), reports };
}

test('rematerialised blocks and blocks kept together, nested ones too, have the same gradients bit for bit, and report statistics once', () => {
  const inputs = blockInputs();
  const kept = valueAndGradients(() => twoBlocks(inputs, (f, x) => f(x)[0]), { ...inputs });
  const again = valueAndGradients(() => twoBlocks(inputs, (f, x) => rematerialize(f, [x])[0]), { ...inputs });
  const nested = valueAndGradients(
    () => twoBlocks(inputs, (f, x) => rematerialize((x) => rematerialize(f, [x]), [x])[0]),
    { ...inputs },
  );
  const together = valueAndGradients(() => twoBlocks(inputs, (f, x) => keepTogether(f, [x])[0]), { ...inputs });
  const mixed = valueAndGradients(
    () => twoBlocks(inputs, (f, x) => rematerialize((x) => keepTogether(f, [x]), [x])[0]),
    { ...inputs },
  );
  for (const other of [again, nested, together, mixed]) {
    assert.equal(other.value.reports, 2);
    for (const name of Object.keys(inputs)) {
      assert.deepEqual(numbers(other.gradients[name]!), numbers(kept.gradients[name]!), name);
    }
  }
});

const keptBlock = (f: (x: Tensor) => [Tensor], x: Tensor): Tensor => keepTogether(f, [x])[0];

test('no tensor is left behind, whether f succeeds or throws; rematerialisation lowers the peak', () => {
  const inputs = blockInputs();
  const before = tensorMemory();
  const peak = (wrap: (f: (x: Tensor) => [Tensor], x: Tensor) => Tensor): number => {
    resetPeak();
    tf.tidy(() => {
      valueAndGradients(() => twoBlocks(inputs, wrap), { ...inputs });
    });
    return tensorMemory().peakBytes - before.liveBytes;
  };
  const kept = peak((f, x) => f(x)[0]);
  assert.equal(tensorMemory().liveBytes - before.liveBytes < 4096, true);
  const handles = tensorMemory().tensors;
  const rematerialised = peak((f, x) => rematerialize(f, [x])[0]);
  assert.equal(tensorMemory().tensors, handles);
  assert.ok(rematerialised < kept, `${rematerialised} bytes rematerialised, ${kept} otherwise`);
  peak((f, x) => keepTogether(f, [x])[0]);
  assert.equal(tensorMemory().tensors, handles);
  for (const wrap of [(f: (x: Tensor) => [Tensor], x: Tensor) => f(x)[0], keptBlock]) {
    assert.throws(() =>
      tf.tidy(() =>
        valueAndGradients(
          () => {
            twoBlocks(inputs, wrap);
            throw new Error('in the middle');
          },
          { ...inputs },
        ),
      ),
    );
    assert.equal(tensorMemory().tensors, handles);
    tf.tidy(() => forwardPass(() => twoBlocks(inputs, wrap), { ...inputs }).discard());
    assert.equal(tensorMemory().tensors, handles);
  }
});
