/**
 * Convolutions of few channels and their gradients, again and again, in a process whose memory the C library watches
 * (see tensor/narrowConvolutions.test.ts). Prints how many there were.
 */
import { convolution2d, tf, tidy, valueAndGradients, type Tensor4D } from '../../../tensor/index.js';

let count = 0;
for (const [inputs, outputs] of [
  [3, 4],
  [4, 4],
  [4, 8],
  [8, 8],
] as const) {
  for (const side of [1, 3]) {
    for (const stride of [1, 2]) {
      for (let repeat = 0; repeat < 30; repeat++) {
        tidy(() => {
          const x = tf.randomNormal<Tensor4D['rankType']>([8, 12, 16, inputs]);
          const filter = tf.variable(tf.randomNormal([side, side, inputs, outputs]));
          const convolve = (): Tensor4D =>
            convolution2d(x, filter as unknown as Tensor4D, { stride, padding: (side - 1) / 2 });
          valueAndGradients(() => ({ loss: tf.sum(convolve()) }), { filter });
          filter.dispose();
        });
        count++;
      }
    }
  }
}
console.log(count);
