import { test } from 'node:test';
import { softmaxExpectation, tf, type Tensor2D, type Tensor3D } from '../../tensor/index.js';
import { assertClose, checkGradients, randomTensor } from '../support/gradientCheck.js';

test('softmax expectation equals its definition, whole or in chunks, with its gradients', () => {
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

test('softmax expectation of logits far outside the range of exp, both ways and mixed in a chunk, with its gradients', () => {
  const keys = randomTensor('keys', [2, 12, 4]);
  const withConstant = tf.concat([keys, tf.ones([2, 12, 1])], 2) as Tensor3D;
  const queries = randomTensor('queries', [4, 5]) as Tensor2D;
  const offsets = tf.tensor2d([0, 200, -200, 100, -60], [1, 5]);
  const values = randomTensor('values', [12, 3], 10) as Tensor2D;
  // An offset of all of a query's logits changes nothing.
  const expected = softmaxExpectation(keys as Tensor3D, queries, values);
  for (const chunkBytes of [1e6, 4 * 12 * 2]) {
    assertClose(softmaxExpectation(withConstant, tf.concat([queries, offsets], 0), values, chunkBytes), expected, 2e-4);
    checkGradients(
      ({ queries }) =>
        softmaxExpectation(withConstant, tf.concat([queries, offsets], 0) as Tensor2D, values, chunkBytes),
      { queries },
    );
  }
});

test('softmax expectation where single voxels tower above all others, which a part of them does not show', () => {
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
