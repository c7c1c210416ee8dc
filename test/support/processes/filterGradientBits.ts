/** Prints a hash of filter gradients by our kernel: sizes that are enough for several threads. */
import { createHash } from 'node:crypto';
import { ownFilterGradient } from '../../../tensor/convolution/filterGradient.js';
import { randomTensor } from '../gradientCheck.js';

const hash = createHash('sha256');
for (const [x, filter, out] of [
  [[3, 37, 33, 70], [3, 3, 70, 20], 20],
  [[2, 9, 17, 31, 6], [3, 3, 3, 6, 20], 20],
] as const) {
  const dy = randomTensor('dy', [...x.slice(0, -1), out]);
  hash.update(
    ownFilterGradient(randomTensor('x', [...x]), randomTensor('filter', [...filter]), dy, 1, true).dataSync(),
  );
}
process.stdout.write(hash.digest('hex'));
