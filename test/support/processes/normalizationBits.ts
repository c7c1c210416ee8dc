/** Prints what `normalizeByBatch` computes with, and a hash of results and gradients: enough for several threads. */
import { createHash } from 'node:crypto';
import { normalizeByBatch, tf, valueAndGradients, vectors, type Tensor1D } from '../../../tensor/index.js';
import { randomTensor } from '../gradientCheck.js';

const channels = 48;
const each = (name: string): Tensor1D => randomTensor(name, [channels], 0.2, 1) as Tensor1D;
const layer = {
  scale: each('scale'),
  offset: each('offset'),
  runningMean: each('mean'),
  runningVariance: each('variance'),
};
const x = randomTensor('x', [2, 131, 47, channels]);
const hash = createHash('sha256');
for (const afterwards of ['nothing', 'rectify', { skip: randomTensor('skip', x.shape) }] as const) {
  const { value, gradients } = valueAndGradients(
    () => {
      const { y, running } = normalizeByBatch(x, layer, afterwards);
      return { loss: tf.sum(tf.square(y)), y, ...running };
    },
    { x, scale: layer.scale, offset: layer.offset },
  );
  for (const tensor of [value.y, value.mean, value.variance, ...Object.values(gradients)])
    hash.update(tensor.dataSync());
}
process.stdout.write(`${vectors} ${hash.digest('hex')}`);
