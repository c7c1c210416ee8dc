import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  addReluInto,
  convolution2d,
  convolution3d,
  frameByZeros,
  maxPool2d,
  maxPool3d,
  meanAndVariance,
  multiply,
  normalizeByBatch,
  normalizeByRunningStatistics,
  relu,
  reshape,
  resizeNearest,
  tf,
  transposedConvolution3d,
  type Rank,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  type Tensor5D,
} from '../../tensor/index.js';
import { sampleBilinear } from '../../tensor/kernels/bilinearSampling.js';
import { assertClose, checkGradients, randomTensor } from '../support/gradientCheck.js';

test('2-D convolution: padding even on both sides, gradients', () => {
  const x = randomTensor('x', [2, 7, 6, 3]);
  const filter = randomTensor('f', [3, 3, 3, 4], 0.3);
  for (const geometry of [
    { stride: 1, padding: 1 },
    { stride: 2, padding: 1 },
    { stride: 2, padding: 0 },
  ]) {
    checkGradients(({ x, filter }) => convolution2d(x as Tensor4D, filter as Tensor4D, geometry), { x, filter });
  }
  // Against the definition at one output: stride 2 and padding 1 on an even side, where TensorFlow's SAME would differ.
  const y = convolution2d(x as Tensor4D, filter as Tensor4D, { stride: 2, padding: 1 });
  assert.deepEqual(y.shape, [2, 4, 3, 4]);
  const [xs, fs] = [x.arraySync() as number[][][][], filter.arraySync() as number[][][][]];
  let sum = 0;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let c = 0; c < 3; c++) sum += (xs[1]![2 * 1 + i - 1]?.[2 * 2 + j - 1]?.[c] ?? 0) * fs[i]![j]![c]![2]!;
    }
  }
  const found = y.arraySync()[1]![1]![2]![2]!;
  assert.ok(Math.abs(found - sum) < 1e-5, `${found} instead of ${sum}`);
});

test('2-D convolution with its sums in parts: the same values and gradients', () => {
  const x = randomTensor('x', [2, 6, 5, 8]) as Tensor4D;
  const filter = randomTensor('f', [3, 3, 8, 5], 0.3) as Tensor4D;
  for (const geometry of [
    { stride: 1, padding: 1 },
    { stride: 2, padding: 1 },
  ]) {
    assertClose(convolution2d(x, filter, geometry, 4), convolution2d(x, filter, geometry), 1e-5);
    checkGradients(({ x, filter }) => convolution2d(x as Tensor4D, filter as Tensor4D, geometry, 2), { x, filter });
  }
});

test('2-D convolution with stride 2 on even and odd sides: gradients', () => {
  for (const [height, width, side] of [
    [8, 10, 7],
    [9, 7, 7],
    [6, 5, 3],
  ] as const) {
    const x = randomTensor('x', [2, height, width, 3]);
    const filter = randomTensor('f', [side, side, 3, 4], 0.3);
    const geometry = { stride: 2, padding: (side - 1) / 2 };
    checkGradients(({ x, filter }) => convolution2d(x as Tensor4D, filter as Tensor4D, geometry), { x, filter });
  }
});

test('3-D convolution and its gradients', () => {
  const x = randomTensor('x', [2, 4, 5, 6, 3]);
  for (const side of [1, 3]) {
    const filter = randomTensor('f', [side, side, side, 3, 2], 0.3);
    const geometry = { stride: 1, padding: (side - 1) / 2 };
    checkGradients(({ x, filter }) => convolution3d(x as Tensor5D, filter as Tensor5D, geometry), { x, filter });
  }
});

test('transposed convolution doubles the resolution: each voxel becomes 2³ of its own, gradients', () => {
  const x = randomTensor('x', [2, 2, 3, 2, 4]);
  const filter = randomTensor('f', [2, 2, 2, 3, 4], 0.5);
  checkGradients(({ x, filter }) => transposedConvolution3d(x as Tensor5D, filter as Tensor5D), { x, filter });
  const y = transposedConvolution3d(x as Tensor5D, filter as Tensor5D).arraySync();
  const [xs, fs] = [x.arraySync() as number[][][][][], filter.arraySync() as number[][][][][]];
  const expected = xs[1]![1]![2]![0]!.reduce((sum, value, i) => sum + value * fs[1]![0]![1]![2]![i]!, 0);
  assert.ok(Math.abs(y[1]![2 + 1]![4 + 0]![0 + 1]![2]! - expected) < 1e-5);
});

test('max-pooling 2³: values, gradients, and the first of equal voxels takes the gradient', () => {
  const x = randomTensor('x', [2, 4, 6, 2, 3]);
  checkGradients(({ x }) => maxPool3d(x as Tensor5D), { x }, { step: 1e-3, tolerance: 1e-2 });
  assertClose(maxPool3d(x as Tensor5D), tf.maxPool3d(x as Tensor5D, 2, 2, 'valid'), 0);
  const equal = tf.ones<Rank.R5>([1, 2, 2, 2, 1]);
  const gradient = tf.grad((x) => tf.sum(maxPool3d(x as Tensor5D)))(equal);
  assert.deepEqual(Array.from(gradient.dataSync()), [1, 0, 0, 0, 0, 0, 0, 0]);
  assert.throws(() => maxPool3d(tf.zeros([1, 3, 2, 2, 1])), /odd/);
});

test('max-pooling 3×3 stride 2 with padding 1: values and gradients', () => {
  const x = tf.relu(randomTensor('x', [2, 7, 6, 3]));
  const padded = tf.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  assertClose(maxPool2d(x as Tensor4D), tf.maxPool(padded as Tensor4D, 3, 2, 'valid'), 0);
  const positive = randomTensor('p', [2, 7, 6, 3], 1, 10);
  checkGradients(({ positive }) => maxPool2d(positive as Tensor4D), { positive }, { step: 1e-3, tolerance: 2e-2 });
});

function normalization(
  channels: number,
): Record<'scale' | 'offset' | 'bias' | 'runningMean' | 'runningVariance', Tensor1D> {
  return {
    scale: randomTensor('scale', [channels], 0.2, 1) as Tensor1D,
    offset: randomTensor('offset', [channels]) as Tensor1D,
    bias: randomTensor('bias', [channels]) as Tensor1D,
    runningMean: randomTensor('mean', [channels]) as Tensor1D,
    runningVariance: tf.abs(randomTensor('variance', [channels], 0.2, 1) as Tensor1D),
  };
}

test('batch normalisation by the batch: values, running statistics, gradients', () => {
  const layer = normalization(3);
  for (const shape of [
    [2, 3, 2, 4, 3],
    [4, 5, 3, 3],
    [2, 1, 1, 1, 3],
    [6, 3],
  ]) {
    const x = randomTensor('x', shape, 2, 1);
    const axes = shape.map((_, axis) => axis).slice(0, -1);
    const { y, running } = normalizeByBatch(x, layer);
    const { mean, variance } = tf.moments(x, axes);
    const expected = tf.add(
      tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), layer.scale),
      layer.offset,
    );
    assertClose(y, expected, 1e-5);
    const count = x.size / 3;
    assertClose(running.mean, tf.add(tf.mul(layer.runningMean, 0.9), tf.mul(tf.add(mean, layer.bias), 0.1)), 1e-6);
    const unbiased = tf.mul(variance, count / (count - 1));
    assertClose(running.variance, tf.add(tf.mul(layer.runningVariance, 0.9), tf.mul(unbiased, 0.1)), 1e-6);
    if (count < 4) continue;
    const { scale, offset } = layer;
    checkGradients(
      ({ x, scale, offset }) =>
        normalizeByBatch(x, { ...layer, scale: scale as Tensor1D, offset: offset as Tensor1D }).y,
      { x, scale, offset },
    );
  }
  assert.throws(() => normalizeByBatch(tf.zeros([1, 1, 1, 1, 3]), layer), /batch of 2/);
});

test('batch normalisation by running statistics: values and gradients, that of the bias included', () => {
  const layer = normalization(3);
  const x = randomTensor('x', [2, 3, 2, 4, 3], 2, 1);
  const { scale, offset, bias } = layer;
  const standard = tf.div(tf.sub(tf.add(x, bias), layer.runningMean), tf.sqrt(tf.add(layer.runningVariance, 1e-5)));
  assertClose(normalizeByRunningStatistics(x, layer), tf.add(tf.mul(standard, scale), offset), 1e-5);
  checkGradients(
    ({ x, scale, offset, bias }) =>
      normalizeByRunningStatistics(x, {
        ...layer,
        scale: scale as Tensor1D,
        offset: offset as Tensor1D,
        bias: bias as Tensor1D,
      }),
    { x, scale, offset, bias },
  );
});

test('sums, rectifiers, reshaping and products: gradients', () => {
  const a = randomTensor('a', [4, 6]);
  const b = randomTensor('b', [4, 6]);
  checkGradients(({ a, b }) => add(relu(a), b), { a, b }, { step: 1e-3 });
  checkGradients(({ a, b }) => reshape<Tensor>(addReluInto(tf.mul(a, 2), b), [3, -1]), { a, b }, { step: 1e-3 });
  assert.throws(() => add(a, randomTensor('c', [6])), /\[4, 6\] and \[6\]/);
  const left = randomTensor('l', [2, 3, 4]);
  const right = randomTensor('r', [2, 4, 5]);
  const shared = randomTensor('s', [4, 5]);
  checkGradients(({ left, right }) => multiply(left, right), { left, right });
  checkGradients(({ left, shared }) => multiply(left, shared), { left, shared });
  const transposed = tf.keep(tf.transpose(left, [0, 2, 1]));
  checkGradients(({ transposed, right }) => multiply(transposed, right, true), { transposed, right });
  const other = tf.keep(tf.transpose(right, [0, 2, 1]));
  checkGradients(({ left, other }) => multiply(left, other, false, true), { left, other });
  checkGradients(({ transposed, other }) => multiply(transposed, other, true, true), { transposed, other });
});

test('nearest resizing: output pixel i shows pixel ⌊i · in / out⌋; gradients', () => {
  const x = randomTensor('x', [2, 5, 7, 2]);
  const y = resizeNearest(x as Tensor4D, 10, 13).arraySync();
  const xs = x.arraySync() as number[][][][];
  for (const [i, j] of [
    [0, 0],
    [9, 12],
    [4, 7],
    [5, 8],
  ] as const) {
    assert.deepEqual(y[1]![i]![j], xs[1]![Math.floor((i * 5) / 10)]![Math.floor((j * 7) / 13)]);
  }
  checkGradients(({ x }) => resizeNearest(x as Tensor4D, 10, 13), { x });
});

test('bilinear sampling fades to zero over the frame, and has gradients by image and coordinates', () => {
  const images = randomTensor('images', [2, 4, 5, 3]);
  // In pixels of the unframed images, (y, x); the last two are in the frame and outside.
  const points = [0.3, 1.2, 2.7, 3.4, 1.5, 0.1, -0.4, 2.2, 3.6, 4.8, 9, 9];
  const boxes = tf.tensor2d(
    Array.from({ length: points.length / 2 }, (_, i) => {
      const [y, x] = [(points[2 * i]! + 1) / 5, (points[2 * i + 1]! + 1) / 6];
      return [y, x, y, x];
    }),
  );
  const imageOfBox = tf.tensor1d([0, 1, 0, 1, 0, 1], 'int32');
  const sampled = sampleBilinear(frameByZeros(images as Tensor4D), boxes, imageOfBox).arraySync();
  const xs = images.arraySync() as number[][][][];
  for (let p = 0; p < 6; p++) {
    const [y, x] = [points[2 * p]!, points[2 * p + 1]!];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    for (let c = 0; c < 3; c++) {
      let expected = 0;
      for (const [dy, dx] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        const weight = (1 - Math.abs(y - top - dy)) * (1 - Math.abs(x - left - dx));
        expected += weight * (xs[p % 2]![top + dy]?.[left + dx]?.[c] ?? 0);
      }
      assert.ok(Math.abs(sampled[p]![c]! - expected) < 1e-5, `point ${p}: ${sampled[p]![c]} instead of ${expected}`);
    }
  }
  checkGradients(
    ({ images, boxes }) => sampleBilinear(frameByZeros(images as Tensor4D), boxes as Tensor2D, imageOfBox),
    { images, boxes },
    { step: 1e-3, tolerance: 1e-2 },
  );
});

test('mean and unbiased variance over views; one view is refused', () => {
  const x = randomTensor('x', [2, 4, 5, 3], 1, 3);
  const { mean, variance } = tf.moments(x, 1);
  assertClose(meanAndVariance(x as Tensor4D), tf.concat<Tensor>([mean, tf.mul(variance, 4 / 3)], -1), 1e-5);
  checkGradients(({ x }) => meanAndVariance(x as Tensor4D), { x });
  assert.throws(() => meanAndVariance(tf.zeros([1, 1, 5, 3])), /two views/);
});
