import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, executeOne, float32, integers } from '../../tensor/engine/engine.js';
import {
  convolution3d,
  tf,
  tidy,
  valueAndGradients,
  withoutOwnKernels,
  type Tensor,
  type Tensor5D,
} from '../../tensor/index.js';
import { deviation, randomTensor } from '../support/gradientCheck.js';

/**
 * Many small cubes are convolved by algorithms of our own (chosenAlgorithm in tensor/convolution/convolution.ts), which must return
 * what TensorFlow's direct convolution and its gradients return.
 */
const direct = [
  float32,
  attribute.integers('strides', [1, 1, 1, 1, 1]),
  attribute.integers('dilations', [1, 1, 1, 1, 1]),
  attribute.text('data_format', 'NDHWC'),
  attribute.text('padding', 'SAME'),
];

/**
 * The direct gradient by the filter, a few samples at a time: over all of them at once, float32's sum of tens of thousands
 * of products is 3e-5 off (ours 2e-6; both against double precision).
 */
function filterGradient(x: Tensor, dy: Tensor, filterShape: readonly number[]): Tensor {
  const several = 10;
  const [samples] = x.shape;
  const parts: Tensor[] = [];
  for (let first = 0; first < samples; first += several) {
    const count = Math.min(several, samples - first);
    const part = [tf.slice(x, first, count), integers(filterShape), tf.slice(dy, first, count)];
    parts.push(executeOne('Conv3DBackpropFilterV2', direct, part));
  }
  return tf.addN(parts);
}

const cases = [
  { name: 'kernel 7³ over 8³ voxels, in several chunks', x: [150, 8, 8, 8, 3], filter: [7, 7, 7, 3, 16] },
  { name: 'kernel 5³ over 4³ voxels', x: [64, 4, 4, 4, 3], filter: [5, 5, 5, 3, 2] },
  { name: 'kernel 7³ over 2³ voxels, wider than the cube', x: [64, 2, 2, 2, 3], filter: [7, 7, 7, 3, 2] },
  { name: 'kernel 3³ over 4³ voxels', x: [70, 4, 4, 4, 6], filter: [3, 3, 3, 6, 5] },
  { name: 'kernel 3³ over 2³ voxels', x: [70, 2, 2, 2, 6], filter: [3, 3, 3, 6, 5] },
  { name: 'few cubes', x: [2, 2, 2, 2, 6], filter: [3, 3, 3, 6, 5] },
  { name: 'kernel 7³ over 9³ voxels', x: [2, 9, 9, 9, 6], filter: [7, 7, 7, 6, 3] },
  { name: 'kernel 5³ over voxels of unequal sides', x: [2, 10, 6, 8, 3], filter: [5, 5, 5, 3, 2] },
  { name: 'kernel 7³ over 3³ voxels, few cubes', x: [3, 3, 3, 3, 4], filter: [7, 7, 7, 4, 8] },
];

for (const { name, x: xShape, filter: filterShape } of cases) {
  test(`convolution of many small cubes equals the direct one, with its gradients: ${name}`, () => {
    tidy(() => {
      const x = randomTensor('x', xShape) as Tensor5D;
      const filter = randomTensor('filter', filterShape) as Tensor5D;
      const dy = randomTensor('dy', [...xShape.slice(0, 4), filterShape[4]!]);
      const geometry = { stride: 1, padding: (filterShape[0]! - 1) / 2 };
      const found = (): { value: { y: Tensor }; gradients: Record<string, Tensor> } =>
        valueAndGradients(
          () => {
            const y = convolution3d(x, filter, geometry);
            return { loss: tf.sum(tf.mul(y, dy)), y };
          },
          { x, filter },
        );
      const shape32 = attribute.int32('Tshape');
      const expected = {
        y: executeOne('Conv3D', direct, [x, filter]),
        x: executeOne('Conv3DBackpropInputV2', [...direct, shape32], [integers(xShape), filter, dy]),
        filter: filterGradient(x, dy, filterShape),
      };
      for (const { value, gradients } of [found(), withoutOwnKernels(found)]) {
        assert.ok(deviation(value.y, expected.y) < 3e-5, 'values');
        assert.ok(deviation(gradients['x']!, expected.x) < 3e-5, 'gradient by x');
        assert.ok(deviation(gradients['filter']!, expected.filter) < 1e-5, 'gradient by the filter');
      }
    });
  });
}
