import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  frameByZeros,
  samplePoints,
  tensorMemory,
  tf,
  tidy,
  valueAndGradients,
  vectors,
  withoutOwnKernels,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '../../tensor/index.js';
import { assertClose, checkGradients, randomTensor } from '../support/gradientCheck.js';

const skip = vectors === 'none' && 'no AVX2';

interface Sampled {
  readonly images: Tensor;
  readonly y: Tensor;
  readonly x: Tensor;
}

const sampled = ({ images, y, x }: Sampled): Tensor =>
  samplePoints(frameByZeros(images as Tensor4D), y as Tensor2D, x as Tensor2D);

/** Channels of whole vectors, of none, and of both. */
for (const channels of [8, 3, 19]) {
  test(`points sampled by our own kernel are TensorFlow's, gradients too: ${channels} channels`, { skip }, () => {
    tidy(() => {
      const images = randomTensor('images', [3, 9, 14, channels]);
      // Some lie beyond the frame.
      const coordinate = (name: string): Tensor => tf.add(tf.mul(randomTensor(name, [3, 500]), 0.4), 0.5);
      const given = { images, y: coordinate('y'), x: coordinate('x') };
      const weights = randomTensor('weights', [3, 500, channels]);
      const points = sampled(given);
      assert.ok(points.dataSync().includes(0), 'none lies beyond the frame');
      assertClose(
        points,
        withoutOwnKernels(() => sampled(given)),
        1e-5,
      );
      const loss = (): ReturnType<typeof tf.sum> => tf.sum(tf.mul(sampled(given), weights));
      const gradients = (): Record<string, Tensor> => valueAndGradients(() => ({ loss: loss() }), given).gradients;
      const [found, expected] = [gradients(), withoutOwnKernels(gradients)];
      for (const name of ['images', 'y', 'x']) assertClose(found[name]!, expected[name]!, 1e-4);
    });
  });
}

test('points sampled by our own kernel have gradients by images and points', { skip }, () => {
  // Away from pixels' centres, where the slope changes.
  const y = tf.tensor2d([0.13, 0.47, 0.71, 0.93, 0.29, 0.55], [2, 3]);
  const x = tf.tensor2d([0.21, 0.39, 0.63, 0.07, 0.83, 0.47], [2, 3]);
  const given = { images: randomTensor('images', [2, 3, 4, 9]), y, x };
  checkGradients(sampled, given, { step: 1e-3, tolerance: 1e-2 });
});

test('a point in the last pixel’s centre is that pixel; one beyond samples zeros', { skip }, () => {
  const images = randomTensor('images', [1, 2, 2, 3]) as Tensor4D;
  const points = samplePoints(images, tf.tensor2d([[1, 0, 1.001]]), tf.tensor2d([[1, 0, 0]])).arraySync();
  const pixels = images.arraySync();
  assert.deepEqual(points[0], [pixels[0]![1]![1], pixels[0]![0]![0], [0, 0, 0]]);
  const far = samplePoints(randomTensor('images', [1, 4, 4, 3]) as Tensor4D, tf.tensor2d([[3e38]]), tf.tensor2d([[0]]));
  assert.deepEqual(far.arraySync(), [[[0, 0, 0]]], 'finite, though beyond float32 in pixels');
});

test('a coordinate that is not finite is refused, and no tensor stays behind', { skip }, () => {
  const images = randomTensor('images', [1, 2, 2, 3]) as Tensor4D;
  const half = tf.tensor2d([[0.5]]);
  const before = tensorMemory().tensors;
  samplePoints(images, half, half).dispose();
  assert.equal(tensorMemory().tensors, before);
  for (const wrong of [NaN, Infinity]) {
    assert.throws(() => samplePoints(images, half, tf.tensor2d([[wrong]])), /TempehSample of .*is not finite/s);
  }
});
