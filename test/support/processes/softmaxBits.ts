/** Prints what `softmaxExpectation` computes with, and a hash of an expectation and its gradients: enough for several threads. */
import { createHash } from 'node:crypto';
import {
  softmaxExpectation,
  tf,
  valueAndGradients,
  vectors,
  type Tensor2D,
  type Tensor3D,
} from '../../../tensor/index.js';
import { randomTensor } from '../gradientCheck.js';

const keys = randomTensor('keys', [2, 3700, 20]) as Tensor3D;
const queries = randomTensor('queries', [20, 450], 0.3) as Tensor2D;
const values = randomTensor('values', [3700, 3], 10) as Tensor2D;
const { value, gradients } = valueAndGradients(
  () => {
    const y = softmaxExpectation(keys, queries, values);
    return { y, loss: tf.sum(tf.square(y)) };
  },
  { keys, queries },
);
const hash = createHash('sha256');
for (const tensor of [value.y, gradients.keys!, gradients.queries!]) hash.update(tensor.dataSync());
process.stdout.write(`${vectors} ${hash.digest('hex')}`);
