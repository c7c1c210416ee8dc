import '../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convolution2d,
  convolution3d,
  maxPool2d,
  maxPool3d,
  normalizeByBatch,
  relu,
  rematerialize,
  tensorMemory,
  tf,
  tidy,
  transposedConvolution3d,
  valueAndGradients,
  withActivations,
  type Activations,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type Tensor5D,
} from '../../tensor/index.js';
import { precisionWarning, withArithmetic } from '../../tensor/engine/precision.js';
import { randomTensor } from '../support/gradientCheck.js';

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync<'float32'>());
/** What rounding to the nearest bfloat16 is off by at most, of the number: half of its last digit's. */
const roundoff = 2 ** -8 / 2;

/** Length of the difference, of the length. */
function deviation(found: Tensor, expected: Tensor): number {
  return tidy(() => tf.norm(tf.sub(found, expected)).dataSync()[0]! / tf.norm(expected).dataSync()[0]!);
}

const x = randomTensor('x', [2, 8, 8, 8, 4]) as Tensor5D;
const image = randomTensor('image', [3, 12, 12, 4]) as Tensor4D;
const filter = randomTensor('filter', [3, 3, 3, 4, 5]) as Tensor5D;
const flat = randomTensor('flat', [3, 3, 4, 5]) as Tensor4D;
const raising = randomTensor('raising', [2, 2, 2, 5, 4]) as Tensor5D;
const same = { stride: 1, padding: 1 };

/** What a kernel that does not write all of its result would return: memory is taken where some was freed. */
function leaveGarbage(): void {
  tidy(() => {
    for (const size of [1e3, 1e4, 3e4, 1e5, 1e6]) tf.fill([size], 3e38);
  });
}

const convolutions = {
  'in two dimensions': {
    x: image,
    filter: flat,
    apply: (x: Tensor, f: Tensor) => convolution2d(x as Tensor4D, f as Tensor4D, same),
  },
  'with a stride': {
    x: image,
    filter: flat,
    apply: (x: Tensor, f: Tensor) => convolution2d(x as Tensor4D, f as Tensor4D, { stride: 2, padding: 1 }),
  },
  'in two dimensions, its sums in parts': {
    x: image,
    filter: flat,
    apply: (x: Tensor, f: Tensor) => convolution2d(x as Tensor4D, f as Tensor4D, same, 2),
  },
  'in three dimensions': {
    x,
    filter,
    apply: (x: Tensor, f: Tensor) => convolution3d(x as Tensor5D, f as Tensor5D, same),
  },
  'in three dimensions, of less depth than the kernel': {
    x: randomTensor('shallow', [2, 2, 2, 2, 8]) as Tensor5D,
    filter: randomTensor('wide filter', [3, 3, 3, 8, 16]) as Tensor5D,
    apply: (x: Tensor, f: Tensor) => convolution3d(x as Tensor5D, f as Tensor5D, same),
  },
  transposed: {
    x,
    filter: raising,
    apply: (x: Tensor, f: Tensor) => transposedConvolution3d(x as Tensor5D, f as Tensor5D),
  },
} as const;

for (const [what, { x, filter, apply }] of Object.entries(convolutions)) {
  test(`a convolution ${what}: bfloat16 in and out, sums in float32; gradients of the rounded numbers`, () => {
    const run = () => {
      leaveGarbage();
      return valueAndGradients(
        () => {
          const y = apply(x, filter);
          return { loss: tf.sum(tf.square(y)), y };
        },
        { x, filter },
      );
    };
    const exact = run();
    const mixed = withActivations('bfloat16', () => withArithmetic(false, run));
    // Inputs, weights and result are each rounded once; errors of single numbers are independent.
    assert.ok(deviation(mixed.value.y, exact.value.y) < 2 * roundoff);
    assert.ok(deviation(mixed.value.y, exact.value.y) > roundoff / 10, 'it is rounded at all');
    for (const value of numbers(mixed.value.y)) assert.equal(bfloat16(value), value, 'the result has 8 digits');
    for (const name of ['x', 'filter'] as const) {
      assert.ok(deviation(mixed.gradients[name]!, exact.gradients[name]!) < 3 * roundoff, name);
    }
    // TensorFlow's own kernels of bfloat16, as a device with the arithmetic runs them. Here they also sum in it.
    const native = withActivations('bfloat16', () => withArithmetic(true, run));
    assert.ok(deviation(native.value.y, exact.value.y) < 10 * roundoff);
    for (const name of ['x', 'filter'] as const) {
      assert.ok(deviation(native.gradients[name]!, exact.gradients[name]!) < 20 * roundoff, name);
    }
  });
}

/** The nearest number with 8 binary digits; of two the one that is even in its last. */
function bfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

/** Convolution, batch normalisation, rectifier: `count` times. */
function layers(x: Tensor5D, filter: Tensor5D, count: number): Tensor5D {
  const channels = filter.shape[4];
  const [scale, offset]: [Tensor1D, Tensor1D] = [tf.ones([channels]), tf.zeros([channels])];
  const layer = { scale, offset, runningMean: offset, runningVariance: scale };
  const one = (x: Tensor5D): Tensor5D =>
    tidy(() => relu(normalizeByBatch(convolution3d(x, filter, same), layer).y) as Tensor5D);
  let y = one(x);
  for (let i = 1; i < count; i++) {
    const next = one(y);
    y.dispose();
    y = next;
  }
  return y;
}

const square = randomTensor('square', [3, 3, 3, 8, 8]) as Tensor5D;
const wide = randomTensor('wide', [4, 8, 8, 8, 8]) as Tensor5D;

test('what is kept for the backward pass takes half the memory, and nothing is left behind', () => {
  const kept = (type: Activations, count: number): number =>
    withActivations(type, () => {
      let bytes = 0;
      const run = (): void =>
        tidy(() => {
          const loss = (): Tensor => {
            const y = layers(wide, square, count);
            bytes = tensorMemory().liveBytes;
            return tf.sum(y);
          };
          valueAndGradients(() => ({ loss: loss() }), { square });
        });
      // Constants are made once, and kept.
      run();
      const before = tensorMemory();
      run();
      const { tensors, liveBytes } = tensorMemory();
      assert.deepEqual({ tensors, liveBytes }, { tensors: before.tensors, liveBytes: before.liveBytes });
      return bytes - liveBytes;
    });
  const arraysOfLayer = (type: Activations): number => (kept(type, 4) - kept(type, 3)) / (4 * wide.size);
  // What the convolution returned, and what the rectifier did; a few vectors of statistics come with them.
  assert.ok(Math.abs(arraysOfLayer('float32') - 2) < 0.01, `${arraysOfLayer('float32')} arrays`);
  assert.ok(Math.abs(arraysOfLayer('bfloat16') - 1) < 0.01, `${arraysOfLayer('bfloat16')} arrays`);
});

test('computed again in the backward pass: the same to the bit', () => {
  const run = (again: boolean): number[] =>
    withActivations('bfloat16', () => {
      const { gradients } = valueAndGradients(
        () => {
          const y = again
            ? rematerialize((x) => [layers(x as Tensor5D, square, 2)], [wide], 'layers', 'activations')[0]
            : layers(wide, square, 2);
          return { loss: tf.sum(tf.square(y!)) };
        },
        { square },
      );
      return numbers(gradients.square!);
    });
  assert.deepEqual(run(true), run(false));
});

test('max-pooling of what a rectifier returned: the same choices and gradients as in float32 of the rounded numbers', () => {
  const run = (pool: (x: Tensor) => Tensor, input: Tensor) => {
    const { value, gradients } = valueAndGradients(
      () => {
        const y = pool(relu(input));
        return { loss: tf.sum(tf.square(y)), y };
      },
      { input },
    );
    return { y: numbers(value.y), gradient: numbers(gradients.input!) };
  };
  for (const [pool, input] of [
    [(x: Tensor) => maxPool3d(x as Tensor5D), x],
    [(x: Tensor) => maxPool2d(x as Tensor4D), image],
  ] as const) {
    const roundedInput = tf.tensor(numbers(input).map(bfloat16), input.shape);
    const mixed = withActivations('bfloat16', () => run(pool, input));
    assert.deepEqual(mixed, run(pool, roundedInput));
  }
});

test('what bfloat16 costs is reported where the device has not its arithmetic, and only there', () => {
  assert.equal(precisionWarning(), null);
  const warning = (has: boolean) => withActivations('bfloat16', () => withArithmetic(has, precisionWarning));
  assert.equal(warning(true), null);
  assert.match(warning(false) ?? '', /saves memory, and takes longer than float32/);
});
