import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  narrowConvolution,
  narrowFilterGradient,
  narrowInputGradient,
} from '../../tensor/convolution/narrowConvolution.js';
import {
  convolution3d,
  tensorMemory,
  tf,
  tidy,
  valueAndGradients,
  vectors,
  withoutOwnKernels,
  type Tensor,
  type Tensor5D,
} from '../../tensor/index.js';
import { bitsOf } from '../support/bitsOf.js';
import { assertNear, randomTensor } from '../support/gradientCheck.js';

const skip = vectors === 'none' && 'no AVX2';

/** Sizes that leave parts of blocks, tiles and vectors over, and others that do not. */
const cases = [
  { name: 'whole vectors, cubes of 4³', x: [21, 4, 4, 4, 8], filter: [3, 3, 3, 8, 8] },
  { name: 'channels that fill no vector, an odd number of cubes', x: [7, 4, 4, 4, 19], filter: [3, 3, 3, 19, 5] },
  { name: 'rows of whole tiles', x: [2, 3, 5, 16, 4], filter: [3, 3, 3, 4, 12] },
  { name: 'rows that leave voxels over, planes in several blocks', x: [1, 5, 21, 33, 6], filter: [3, 3, 3, 6, 9] },
  { name: 'rows of two voxels and of three', x: [5, 2, 3, 2, 3], filter: [3, 3, 3, 3, 8] },
  { name: 'one voxel', x: [3, 1, 1, 1, 2], filter: [3, 3, 3, 2, 1] },
  { name: 'one plane of one row', x: [9, 1, 1, 13, 17], filter: [3, 3, 3, 17, 7] },
] as const;

for (const { name, x: xShape, filter: filterShape } of cases) {
  test(`convolution of few channels by our own kernel, and its gradients, are TensorFlow's: ${name}`, { skip }, () => {
    tidy(() => {
      const [x, filter] = [randomTensor('x', [...xShape]), randomTensor('filter', [...filterShape])];
      const y = narrowConvolution(x, filter);
      const dy = randomTensor('dy', y.shape);
      const geometry = { stride: 1, padding: 1 };
      const apply = (): Tensor => convolution3d(x as Tensor5D, filter as Tensor5D, geometry);
      const loss = (): ReturnType<typeof tf.sum> => tf.sum(tf.mul(apply(), dy));
      assertNear(y, withoutOwnKernels(apply));
      const expected = withoutOwnKernels(() => valueAndGradients(() => ({ loss: loss() }), { x, filter }).gradients);
      assertNear(narrowInputGradient(dy, filter), expected.x!);
      assertNear(narrowFilterGradient(x, dy, filter), expected.filter!);
    });
  });
}

test('convolution of few channels spreads what is not finite no farther than its taps', { skip }, () => {
  const numbers = randomTensor('x', [1, 4, 4, 4, 3]).dataSync<'float32'>().slice();
  numbers[0] = NaN;
  const y = narrowConvolution(tf.tensor(numbers, [1, 4, 4, 4, 3]), randomTensor('filter', [3, 3, 3, 3, 2]));
  const values = y.dataSync<'float32'>();
  for (let voxel = 0; voxel < 64; voxel++) {
    const isNear = [voxel >> 4, (voxel >> 2) & 3, voxel & 3].every((place) => place <= 1);
    assert.equal(Number.isNaN(values[2 * voxel]!), isNear, `voxel ${voxel}`);
  }
});

test('convolution of few channels leaves no tensor behind, and says what does not fit', { skip }, () => {
  const [x, filter] = [randomTensor('x', [1, 4, 4, 4, 3]), randomTensor('f', [3, 3, 3, 3, 2])];
  const before = tensorMemory().tensors;
  narrowConvolution(x, filter).dispose();
  assert.equal(tensorMemory().tensors, before);
  assert.throws(
    () => narrowConvolution(x, randomTensor('f', [3, 3, 3, 4, 2])),
    /TempehNarrowConvolution of .*channels/s,
  );
  assert.throws(() => narrowConvolution(x, randomTensor('f', [2, 2, 2, 3, 2])), /3 × 3 × 3 taps/);
});

test('convolution of few channels and sampled points have the same bits with any number of threads', { skip }, () => {
  const alone = bitsOf('narrowConvolutionBits', 1);
  assert.match(alone, /^[0-9a-f]{64}$/);
  assert.equal(bitsOf('narrowConvolutionBits', 3), alone);
});
