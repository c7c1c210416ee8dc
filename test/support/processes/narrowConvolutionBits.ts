/** Prints a digest of what our narrow convolution and our sampling of points come to, for sizes that leave parts over. */
import { createHash } from 'node:crypto';
import {
  narrowConvolution,
  narrowFilterGradient,
  narrowInputGradient,
} from '../../../tensor/convolution/narrowConvolution.js';
import {
  samplePoints,
  tf,
  tidy,
  valueAndGradients,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '../../../tensor/index.js';
import { randomTensor } from '../gradientCheck.js';

const digest = createHash('sha256');
const add = (tensor: Tensor): void => void digest.update(new Uint8Array(tensor.dataSync<'float32'>().slice().buffer));

tidy(() => {
  for (const [x, filter] of [
    [
      [90, 4, 4, 4, 8],
      [3, 3, 3, 8, 8],
    ],
    [
      [2, 9, 21, 33, 19],
      [3, 3, 3, 19, 8],
    ],
  ] as const) {
    const [volume, weights] = [randomTensor('x', [...x]), randomTensor('filter', [...filter])];
    const dy = narrowConvolution(volume, weights);
    for (const result of [dy, narrowInputGradient(dy, weights), narrowFilterGradient(volume, dy, weights)]) add(result);
  }
  const images = randomTensor('images', [3, 40, 50, 11]);
  const coordinate = (name: string): Tensor => tf.sigmoid(randomTensor(name, [3, 9000]));
  const [y, x] = [coordinate('y'), coordinate('x')];
  const sampled = (): Tensor => samplePoints(images as Tensor4D, y as Tensor2D, x as Tensor2D);
  const { gradients } = valueAndGradients(() => ({ loss: tf.sum(tf.square(sampled())) }), { images, y, x });
  for (const result of [sampled(), gradients['images'], gradients['y'], gradients['x']]) add(result!);
});
process.stdout.write(digest.digest('hex'));
