import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownNormalizationFits } from '../../tensor/kernels/ownNormalization.js';
import {
  normalizeByBatch,
  tensorMemory,
  tf,
  tidy,
  valueAndGradients,
  vectors,
  withActivations,
  withoutOwnKernels,
  type Afterwards,
  type Normalization,
  type Rank,
  type Tensor,
  type Tensor1D,
} from '../../tensor/index.js';
import { bitsOf } from '../support/bitsOf.js';
import { assertClose, checkGradients, randomTensor } from '../support/gradientCheck.js';

const skip = vectors === 'none' && 'no AVX2';

function layerOf(channels: number, bias = false): Normalization {
  const each = (name: string, shift: number): Tensor1D => randomTensor(name, [channels], 0.2, shift) as Tensor1D;
  return {
    scale: each('scale', 1),
    offset: each('offset', 0),
    runningMean: each('mean', 0.5),
    runningVariance: each('variance', 2),
    ...(bias && { bias: each('bias', 0) }),
  };
}

/** What a normalisation comes to, and its gradients by all inputs. */
function everythingOf(x: Tensor, layer: Normalization, afterwards: Afterwards): Record<string, Tensor> {
  const { scale, offset } = layer;
  const added: Record<string, Tensor> = typeof afterwards === 'object' ? { skip: afterwards.skip } : {};
  const { value, gradients } = valueAndGradients(
    () => {
      const { y, running } = normalizeByBatch(x, layer, afterwards);
      return { loss: tf.sum(tf.mul(y, randomTensor('weights', y.shape))), y, ...running };
    },
    { x, scale, offset, ...added },
  );
  const { y, mean, variance } = value;
  const byInput = Object.entries(gradients).map(([name, gradient]) => [`gradient by ${name}`, gradient] as const);
  return { y, mean, variance, ...Object.fromEntries(byInput) };
}

/** Rows that are less than a block, and more; channels that are less than a strip, and strips with some left over. */
const shapes = [
  [2, 16],
  [1, 3, 5, 48],
  [3, 7, 11, 5, 80],
  [2, 61, 53, 64],
  [1, 4099, 16],
];

for (const shape of shapes) {
  for (const kind of ['nothing', 'rectify', 'skip'] as const) {
    test(`batch normalisation of our own is TensorFlow's: [${shape.join(', ')}], ${kind}`, { skip }, () => {
      tidy(() => {
        const x = randomTensor('x', shape, 3, 1);
        assert.ok(ownNormalizationFits(x));
        const layer = layerOf(shape.at(-1)!, kind === 'rectify');
        const afterwards = kind === 'skip' ? { skip: randomTensor('skip', shape) } : kind;
        const found = everythingOf(x, layer, afterwards);
        const expected = withoutOwnKernels(() => everythingOf(x, layer, afterwards));
        assert.deepEqual(Object.keys(found), Object.keys(expected));
        for (const [name, value] of Object.entries(expected)) {
          const largest = Math.max(1, tf.max(tf.abs(value)).dataSync()[0]!);
          assertClose(found[name]!, value, 2e-5 * largest);
        }
      });
    });
  }
}

test('batch normalisation of our own: gradients by central differences', { skip }, () => {
  const layer = layerOf(16);
  const inputs = { x: randomTensor('x', [2, 3, 5, 16]), scale: layer.scale, offset: layer.offset };
  const normalized = (afterwards: Afterwards, { x, scale, offset }: Record<'x' | 'scale' | 'offset', Tensor>): Tensor =>
    normalizeByBatch(x, { ...layer, scale: scale as Tensor1D, offset: offset as Tensor1D }, afterwards).y;
  checkGradients((given) => normalized('nothing', given), inputs);
  // Rectifiers have a corner: no number is to cross it.
  const options = { step: 1e-3, tolerance: 2e-2 };
  checkGradients((given) => normalized('rectify', given), inputs, options);
  const added = { ...inputs, skip: randomTensor('skip', [2, 3, 5, 16]) };
  checkGradients(({ skip, ...given }) => normalized({ skip }, given), added, options);
});

test('batch normalisation of our own: a variance far below the mean’s square', { skip }, () => {
  const [rows, channels] = [5000, 16];
  const x = randomTensor('x', [rows, channels], 0.01, 100);
  const values = x.dataSync<'float32'>();
  const layer = { ...layerOf(channels), scale: tf.ones<Rank.R1>([channels]), offset: tf.zeros<Rank.R1>([channels]) };
  const found = normalizeByBatch(x, layer).y.dataSync<'float32'>();
  let worst = 0;
  for (let c = 0; c < channels; c++) {
    const column = Array.from({ length: rows }, (_, row) => values[row * channels + c]!);
    const mean = column.reduce((sum, value) => sum + value, 0) / rows;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
    for (const [row, value] of column.entries()) {
      const exact = (value - mean) / Math.sqrt(variance + 1e-5);
      worst = Math.max(worst, Math.abs(exact - found[row * channels + c]!));
    }
  }
  // A mean that is rounded to float32, which has digits of 8e-6 there, would be 4e-4 of the deviation off.
  assert.ok(worst < 5e-6, `${worst}`);
});

test('batch normalisation of our own: what is not finite does not become so', { skip }, () => {
  for (const wrong of [NaN, Infinity]) {
    const numbers = randomTensor('x', [40, 16]).dataSync<'float32'>().slice();
    numbers[16 * 7 + 3] = wrong;
    const found = everythingOf(tf.tensor(numbers, [40, 16]), layerOf(16), 'rectify');
    for (const name of ['y', 'mean', 'variance', 'gradient by x']) {
      const values = found[name]!.dataSync<'float32'>();
      const finite = Array.from({ length: 16 }, (_, c) => values.filter((_, i) => i % 16 === c).every(Number.isFinite));
      assert.deepEqual(
        finite,
        Array.from({ length: 16 }, (_, c) => c !== 3),
        `${wrong}: ${name}`,
      );
    }
  }
  const skipped = randomTensor('skip', [40, 16]).dataSync<'float32'>().slice();
  skipped[16 * 7 + 3] = NaN;
  const { y } = everythingOf(randomTensor('x', [40, 16]), layerOf(16), { skip: tf.tensor(skipped, [40, 16]) });
  assert.ok(Number.isNaN(y!.dataSync<'float32'>()[16 * 7 + 3]));
});

test('batch normalisation of our own: what it does not take goes to TensorFlow', { skip }, () => {
  assert.equal(ownNormalizationFits(tf.zeros([4, 17])), false);
  assert.equal(
    withoutOwnKernels(() => ownNormalizationFits(tf.zeros([4, 16]))),
    false,
  );
  assert.equal(
    withActivations('bfloat16', () => ownNormalizationFits(tf.zeros([4, 16]))),
    false,
  );
});

test('batch normalisation of our own leaves no tensor behind', { skip }, () => {
  const [x, added] = [randomTensor('x', [2, 3, 16]), randomTensor('skip', [2, 3, 16])];
  const layer = layerOf(16, true);
  const once = (): void => {
    tidy(() => void Object.values(everythingOf(x, layer, { skip: added })));
    tidy(() => void Object.values(everythingOf(x, layer, 'rectify')));
  };
  once();
  const { tensors, liveBytes } = tensorMemory();
  once();
  assert.deepEqual([tensorMemory().tensors, tensorMemory().liveBytes], [tensors, liveBytes]);
});

test('batch normalisation of our own has the same bits with any threads and vectors', { skip }, () => {
  const alone = bitsOf('normalizationBits', 1, vectors);
  assert.match(alone, new RegExp(`^${vectors} [0-9a-f]{64}`));
  assert.equal(bitsOf('normalizationBits', 3, vectors), alone);
  assert.equal(bitsOf('normalizationBits', 2, 'avx2'), alone.replace(vectors, 'avx2'));
});
