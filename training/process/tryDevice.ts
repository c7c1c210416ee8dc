import { runsOnGpu, tf, tidy } from '../../tensor/index.js';

/** Rows and columns: so many that a library's own kernel is used, and all sums are whole numbers below 2²⁴. */
const side = 64;

/**
 * Multiplies two matrices of whole numbers on TensorFlow's device.
 *
 * @returns whether that is a GPU, and what is wrong about the product; null where nothing is.
 */
export function tryDevice(): { readonly usesGpu: boolean; readonly problem: string | null } {
  const row = Float32Array.from({ length: side * side }, (_, i) => i % 7);
  const product = tidy(() => {
    const matrix = tf.tensor(row, [side, side]);
    return tf.matMul(matrix, matrix).dataSync();
  });
  let wrong = 0;
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      let sum = 0;
      for (let k = 0; k < side; k++) sum += row[i * side + k]! * row[k * side + j]!;
      if (product[i * side + j] !== sum) wrong++;
    }
  }
  const problem = wrong === 0 ? null : `${wrong} of ${side * side} numbers of a product are wrong`;
  return { usesGpu: runsOnGpu(), problem };
}
