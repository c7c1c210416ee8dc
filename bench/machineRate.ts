import { tf, tidy } from '../tensor/index.js';

const side = 2048;

/** What this machine can do: 10⁹ operations a second of a product of two 2048² matrices, the best of some. */
export function machineRate(): number {
  let best = Infinity;
  tidy(() => {
    const [a, b] = [
      tf.randomNormal([side, side], 0, 1, 'float32', 1),
      tf.randomNormal([side, side], 0, 1, 'float32', 2),
    ];
    for (let run = 0; run < 8; run++) {
      const started = performance.now();
      tf.matMul(a, b).dispose();
      best = Math.min(best, (performance.now() - started) / 1000);
    }
  });
  return (2 * side ** 3) / best / 1e9;
}
