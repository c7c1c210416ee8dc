import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  softmaxExpectation,
  tf,
  valueAndGradients,
  vectors,
  withoutOwnKernels,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
} from '../../tensor/index.js';
import { bitsOf } from '../support/bitsOf.js';
import { assertClose, checkGradients, randomTensor } from '../support/gradientCheck.js';

/** By our kernel, where the processor has it, and by TensorFlow's operations. */
function eachWay(name: string, f: () => void): void {
  test(`${name}, in tiles`, { skip: vectors === 'none' && 'no AVX2' }, f);
  test(`${name}, by operations`, () => withoutOwnKernels(f));
}

eachWay('softmax expectation equals its definition, whole or in chunks, with its gradients', () => {
  const keys = randomTensor('keys', [2, 12, 4]);
  const queries = randomTensor('queries', [4, 5]);
  const values = randomTensor('values', [12, 3], 10) as Tensor2D;
  const p = tf.softmax(tf.transpose(tf.matMul(keys, tf.tile(tf.expandDims(queries), [2, 1, 1])), [0, 2, 1]));
  const expected = tf.matMul(p, tf.tile(tf.expandDims(values), [2, 1, 1]));
  for (const chunkBytes of [1e6, 4 * 12 * 2]) {
    assertClose(softmaxExpectation(keys as Tensor3D, queries as Tensor2D, values, chunkBytes), expected, 1e-5);
    checkGradients(
      ({ keys, queries }) => softmaxExpectation(keys as Tensor3D, queries as Tensor2D, values, chunkBytes),
      { keys, queries },
    );
  }
});

eachWay(
  'softmax expectation of logits far outside the range of exp, both ways and mixed in a chunk, with its gradients',
  () => {
    const keys = randomTensor('keys', [2, 12, 4]);
    const withConstant = tf.concat([keys, tf.ones([2, 12, 1])], 2) as Tensor3D;
    const queries = randomTensor('queries', [4, 5]) as Tensor2D;
    const offsets = tf.tensor2d([0, 200, -200, 100, -60], [1, 5]);
    const values = randomTensor('values', [12, 3], 10) as Tensor2D;
    // An offset of all of a query's logits changes nothing.
    const expected = softmaxExpectation(keys as Tensor3D, queries, values);
    for (const chunkBytes of [1e6, 4 * 12 * 2]) {
      assertClose(
        softmaxExpectation(withConstant, tf.concat([queries, offsets], 0), values, chunkBytes),
        expected,
        2e-4,
      );
      checkGradients(
        ({ queries }) =>
          softmaxExpectation(withConstant, tf.concat([queries, offsets], 0) as Tensor2D, values, chunkBytes),
        { queries },
      );
    }
  },
);

eachWay('softmax expectation where single voxels tower above all others, which a part of them does not show', () => {
  const keys = tf.tensor3d(
    [...Array(70).keys()].flatMap((voxel) => [voxel === 33 ? 300 : voxel === 34 ? 299 : voxel % 5, voxel / 70]),
    [1, 70, 2],
  );
  // One after another: no headroom, some, and the largest of all.
  const queries = tf.tensor2d([-0.01, 0.35, 1, 1, 3, 0.1], [2, 3]);
  const values = randomTensor('values', [70, 3], 10) as Tensor2D;
  const p = tf.softmax(tf.transpose(tf.matMul(tf.squeeze(keys, [0]), queries)));
  const expected = tf.expandDims(tf.matMul(p as Tensor2D, values));
  for (const chunkBytes of [1e6, 4 * 70])
    assertClose(softmaxExpectation(keys, queries, values, chunkBytes), expected, 1e-3);
  const withHeadroom = tf.tensor2d([0.35, 1], [2, 1]);
  checkGradients(({ queries }) => softmaxExpectation(keys, queries as Tensor2D, values), { queries: withHeadroom });
});

/** Of sizes that leave parts of blocks, tiles and channels over. */
function unevenSizes(voxels = 205, count = 451): { keys: Tensor3D; queries: Tensor2D; values: Tensor2D } {
  return {
    keys: randomTensor('keys', [2, voxels, 37]) as Tensor3D,
    queries: randomTensor('queries', [37, count], 0.3) as Tensor2D,
    values: randomTensor('values', [voxels, 2], 10) as Tensor2D,
  };
}

test(
  'softmax expectation in tiles is what operations give, whatever the sizes',
  { skip: vectors === 'none' && 'no AVX2' },
  () => {
    // Groups of one block and of two, one tile and three.
    for (const [voxels, count] of [
      [205, 451],
      [3301, 60],
      [1, 1],
    ] as const) {
      const { keys, queries, values } = unevenSizes(voxels, count);
      const found = (): { value: { y: Tensor }; gradients: Record<string, Tensor> } =>
        valueAndGradients(
          () => {
            const y = softmaxExpectation(keys, queries, values);
            return { y, loss: tf.sum(tf.mul(y, randomTensor('weights', y.shape))) };
          },
          { keys, queries },
        );
      const [inTiles, byOperations] = [found(), withoutOwnKernels(found)];
      assertClose(inTiles.value.y, byOperations.value.y, 1e-4);
      for (const name of ['keys', 'queries'])
        assertClose(inTiles.gradients[name]!, byOperations.gradients[name]!, 2e-4);
    }
    const { keys, queries, values } = unevenSizes();
    checkGradients(({ keys, queries }) => softmaxExpectation(keys as Tensor3D, queries as Tensor2D, values), {
      keys,
      queries,
    });
  },
);

test(
  'softmax expectation in tiles: logits that are kept change no bit, nor are they left behind',
  { skip: vectors === 'none' && 'no AVX2' },
  () => {
    for (const [voxels, count] of [
      [205, 451],
      [3301, 60],
      [1, 1],
    ] as const) {
      const { keys, queries, values } = unevenSizes(voxels, count);
      const weights = randomTensor('weights', [2, count, 2]);
      const bits = (keep: boolean): Buffer[] => {
        const { value, gradients } = valueAndGradients(
          () => {
            const y = softmaxExpectation(keys, queries, values, undefined, keep);
            return { y, loss: tf.sum(tf.mul(y, weights)) };
          },
          { keys, queries },
        );
        const found = [value.y, gradients.keys!, gradients.queries!].map((x) => Buffer.from(x.dataSync().buffer));
        tf.dispose([value, gradients]);
        return found;
      };
      const again = bits(false);
      const { numTensors } = tf.memory();
      assert.deepEqual(bits(true), again);
      assert.equal(tf.memory().numTensors, numTensors);
    }
  },
);

test(
  'softmax expectation in tiles: what is not finite does not become so',
  { skip: vectors === 'none' && 'no AVX2' },
  () => {
    for (const wrong of [NaN, Infinity]) {
      const { keys, queries, values } = unevenSizes();
      const numbers = keys.dataSync<'float32'>().slice();
      numbers[37 * 204 + 5] = wrong;
      const changed = tf.tensor3d(numbers, keys.shape);
      const loss = (): ReturnType<typeof tf.sum> => tf.sum(softmaxExpectation(changed, queries, values));
      const { value, gradients } = valueAndGradients(() => ({ loss: loss() }), { queries });
      assert.ok(Number.isNaN(value.loss.dataSync()[0]), `${wrong}`);
      assert.ok(!gradients.queries!.dataSync<'float32'>().every(Number.isFinite), `${wrong}`);
    }
  },
);

test(
  'softmax expectation in tiles has the same bits with any threads and vectors',
  { skip: vectors === 'none' && 'no AVX2' },
  () => {
    const alone = bitsOf('softmaxBits', 1, vectors);
    assert.match(alone, new RegExp(`^${vectors} [0-9a-f]{64}`));
    assert.equal(bitsOf('softmaxBits', 3, vectors), alone);
    assert.equal(bitsOf('softmaxBits', 2, 'avx2'), alone.replace(vectors, 'avx2'));
  },
);
