import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownFilterGradient } from '../../tensor/convolution/filterGradient.js';
import {
  convolution2d,
  convolution3d,
  tensorMemory,
  tf,
  tidy,
  transposedConvolution3d,
  valueAndGradients,
  vectors,
  withoutOwnKernels,
  type Tensor,
  type Tensor4D,
  type Tensor5D,
} from '../../tensor/index.js';
import { bitsOf } from '../support/bitsOf.js';
import { assertNear, randomTensor } from '../support/gradientCheck.js';

const skip = vectors === 'none' && 'no AVX2';

/** Sizes that leave parts of blocks, panels and tiles over, and others that do not. */
const cases = [
  { name: 'whole panels', x: [2, 6, 6, 16], filter: [3, 3, 16, 16], stride: 1, padding: 1 },
  { name: 'several tiles, planes in parts', x: [3, 37, 33, 70], filter: [3, 3, 70, 81], stride: 1, padding: 1 },
  { name: 'rows longer than a block', x: [1, 3, 300, 2], filter: [5, 5, 2, 3], stride: 1, padding: 2 },
  { name: 'a stem: stride 2, three channels', x: [2, 21, 18, 3], filter: [7, 7, 3, 9], stride: 2, padding: 3 },
  { name: 'stride 2, a side that is left over', x: [2, 9, 8, 5], filter: [1, 1, 5, 6], stride: 2, padding: 0 },
  { name: 'without padding', x: [1, 9, 8, 5], filter: [3, 3, 5, 6], stride: 1, padding: 0 },
  { name: 'one pixel', x: [1, 1, 1, 1], filter: [3, 3, 1, 1], stride: 1, padding: 1 },
  { name: 'volumes', x: [2, 5, 7, 6, 5], filter: [3, 3, 3, 5, 17], stride: 1, padding: 1 },
  { name: 'a kernel wider than the volume', x: [2, 4, 3, 2, 4], filter: [7, 7, 7, 4, 16], stride: 1, padding: 3 },
  { name: 'volumes of many blocks', x: [1, 9, 17, 31, 6], filter: [3, 3, 3, 6, 20], stride: 1, padding: 1 },
  { name: 'many small volumes', x: [70, 4, 4, 4, 6], filter: [3, 3, 3, 6, 5], stride: 1, padding: 1 },
] as const;

for (const { name, x: xShape, filter: filterShape, stride, padding } of cases) {
  test(`filter gradient of our own is TensorFlow's: ${name}`, { skip }, () => {
    tidy(() => {
      const [x, filter] = [randomTensor('x', [...xShape]), randomTensor('filter', [...filterShape])];
      const geometry = { stride, padding };
      const apply = (x: Tensor): Tensor =>
        x.rank === 5
          ? convolution3d(x as Tensor5D, filter as Tensor5D, geometry)
          : convolution2d(x as Tensor4D, filter as Tensor4D, geometry);
      const dy = randomTensor('dy', apply(x).shape);
      // Of one sample at a time: long sums of float32 are off by more than ours.
      const ofSample = (sample: number): Tensor => {
        const loss = (): ReturnType<typeof tf.sum> =>
          tf.sum(tf.mul(apply(tf.slice(x, sample, 1)), tf.slice(dy, sample, 1)));
        return withoutOwnKernels(() => valueAndGradients(() => ({ loss: loss() }), { filter }).gradients.filter!);
      };
      const expected = tf.addN(Array.from({ length: xShape[0] }, (_, sample) => ofSample(sample)));
      const framed = stride > 1 && padding > 0;
      const around = [padding, padding] as [number, number];
      const taken = framed ? tf.pad(x, [[0, 0], ...xShape.slice(1, -1).map(() => around), [0, 0]]) : x;
      assertNear(ownFilterGradient(taken, filter, dy, stride, padding > 0 && !framed), expected);
    });
  });
}

test('filter gradient of our own: a transposed convolution’s', { skip }, () => {
  const [x, filter] = [randomTensor('x', [2, 3, 2, 4, 5]), randomTensor('filter', [2, 2, 2, 6, 5])];
  const dy = randomTensor('dy', [2, 6, 4, 8, 6]);
  const apply = (): Tensor => transposedConvolution3d(x as Tensor5D, filter as Tensor5D);
  const expected = withoutOwnKernels(
    () => valueAndGradients(() => ({ loss: tf.sum(tf.mul(apply(), dy)) }), { filter }).gradients.filter!,
  );
  assertNear(ownFilterGradient(dy, filter, x, 2, false), expected);
});

test(
  'filter gradient of our own: what is not finite does not become so, and spreads no farther than its taps',
  { skip },
  () => {
    for (const wrong of [NaN, Infinity]) {
      const numbers = randomTensor('x', [1, 6, 7, 5]).dataSync<'float32'>().slice();
      // The first pixel's channel 2, which the last taps alone do not meet.
      numbers[2] = wrong;
      const x = tf.tensor4d(numbers, [1, 6, 7, 5]);
      const [filter, dy] = [randomTensor('filter', [3, 3, 5, 4]), randomTensor('dy', [1, 6, 7, 4])];
      const found = ownFilterGradient(x, filter, dy, 1, true).arraySync() as number[][][][];
      for (let a = 0; a < 3; a++) {
        for (let b = 0; b < 3; b++) {
          for (let i = 0; i < 5; i++) {
            const finite = found[a]![b]![i]!.map(Number.isFinite);
            assert.deepEqual(finite, Array(4).fill(!(i === 2 && a < 2 && b < 2)), `${wrong} ${a} ${b} ${i}`);
          }
        }
      }
    }
  },
);

test('filter gradient of our own leaves no tensor behind, and says what does not fit', { skip }, () => {
  const [x, filter, dy] = [
    randomTensor('x', [1, 4, 4, 3]),
    randomTensor('f', [3, 3, 3, 2]),
    randomTensor('dy', [1, 4, 4, 2]),
  ];
  // Shapes are constants that are kept.
  ownFilterGradient(x, filter, dy, 1, true).dispose();
  const before = tensorMemory().tensors;
  ownFilterGradient(x, filter, dy, 1, true).dispose();
  assert.equal(tensorMemory().tensors, before);
  assert.throws(() => ownFilterGradient(x, filter, dy, 1, false), /TempehFilterGradient of .*do not fit/s);
});

test('filter gradient of our own has the same bits with any number of threads', { skip }, () => {
  const alone = bitsOf('filterGradientBits', 1);
  assert.match(alone, /^[0-9a-f]{64}$/);
  assert.equal(bitsOf('filterGradientBits', 3), alone);
});
