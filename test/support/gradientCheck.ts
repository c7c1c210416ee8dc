import assert from 'node:assert/strict';
import { counterRandom } from '../../geometry/random.js';
import { tf, tidy, valueAndGradients, type Tensor } from '../../tensor/index.js';

/** Normally distributed numbers, the same at every run. */
export function randomTensor(name: string, shape: number[], scale = 1, shift = 0): Tensor {
  const random = counterRandom(1, name);
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => shift + scale * random.gaussian()),
    shape,
  );
}

/** That two tensors have one shape, and entries that differ by no more than the tolerance. */
export function assertClose(actual: Tensor, expected: Tensor, tolerance: number): void {
  assert.deepEqual(actual.shape, expected.shape);
  const difference = tf.max(tf.abs(tf.sub(actual, expected))).dataSync<'float32'>()[0]!;
  assert.ok(difference <= tolerance, `differs by ${difference}, more than ${tolerance}`);
}

/** Largest difference of two tensors of one shape, of the expected values' root mean square. */
export function deviation(found: Tensor, expected: Tensor): number {
  assert.deepEqual(found.shape, expected.shape);
  return tidy(() => {
    const worst = tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]!;
    return worst / Math.sqrt(tf.mean(tf.square(expected)).dataSync()[0]!);
  });
}

/** That two tensors have one shape, and differ by less than 10⁻⁵ of the expected values' root mean square. */
export function assertNear(found: Tensor, expected: Tensor): void {
  const share = deviation(found, expected);
  assert.ok(share < 1e-5, `differs by ${share} of the usual value`);
}

interface Options {
  /** Half the distance of the two points of a central difference. */
  readonly step?: number;
  /** Allowed difference, of the largest gradient of that input. */
  readonly tolerance?: number;
  /** Elements of each input that are checked (spread evenly). */
  readonly elements?: number;
}

/**
 * Holds the gradients of Σ f(x) · r, r fixed random numbers, against central differences, for named inputs x.
 * @returns the largest difference of each input, relative to its largest gradient.
 */
export function checkGradients<N extends string>(
  f: (inputs: Record<N, Tensor>) => Tensor,
  inputs: Record<N, Tensor>,
  { step = 1e-2, tolerance = 5e-3, elements = 24 }: Options = {},
): Record<string, number> {
  const loss = (x: Record<N, Tensor>): Tensor => {
    const y = f(x);
    return tf.sum(tf.mul(y, randomTensor('weights', y.shape)));
  };
  const worst: Record<string, number> = {};
  const { gradients } = valueAndGradients(() => ({ loss: loss(inputs) }), inputs);
  for (const name of Object.keys(inputs) as N[]) {
    const x = inputs[name];
    const values = x.dataSync<'float32'>().slice();
    const analytic = gradients[name]!.dataSync<'float32'>();
    const largest = analytic.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 1e-6);
    const at = (index: number, change: number): number =>
      tf.tidy(() => {
        const changed = values.slice();
        changed[index]! += change;
        return loss({ ...inputs, [name]: tf.tensor(changed, x.shape) }).dataSync<'float32'>()[0]!;
      });
    let difference = 0;
    for (let k = 0; k < Math.min(elements, values.length); k++) {
      const index = Math.floor((k * values.length) / Math.min(elements, values.length));
      const numeric = (at(index, step) - at(index, -step)) / (2 * step);
      difference = Math.max(difference, Math.abs(numeric - analytic[index]!) / largest);
      assert.ok(
        difference <= tolerance,
        `gradient by ${name}[${index}]: ${analytic[index]}, central difference ${numeric} (largest gradient ${largest})`,
      );
    }
    worst[name] = difference;
  }
  return worst;
}

/**
 * The same for functions with many kinks (rectifiers, maxima), where single differences are unreliable: derivatives along
 * the gradient's own direction, which must come out as the gradient's length.
 */
export function checkGradientLengths<N extends string>(
  f: (inputs: Record<N, Tensor>) => Tensor,
  inputs: Record<N, Tensor>,
  { step = 1e-3, tolerance = 0.03 }: { readonly step?: number; readonly tolerance?: number } = {},
): void {
  const loss = (x: Record<N, Tensor>): Tensor => {
    const y = f(x);
    return tf.sum(tf.mul(y, randomTensor('weights', y.shape)));
  };
  const { gradients } = valueAndGradients(() => ({ loss: loss(inputs) }), inputs);
  for (const name of Object.keys(inputs) as N[]) {
    const gradient = gradients[name]!;
    const length = tf.norm(gradient).dataSync<'float32'>()[0]!;
    const at = (distance: number): number =>
      tf.tidy(() => {
        const moved = tf.add(inputs[name], tf.mul(gradient, distance / length));
        return loss({ ...inputs, [name]: moved }).dataSync<'float32'>()[0]!;
      });
    const derivative = (at(step) - at(-step)) / (2 * step);
    assert.ok(
      Math.abs(derivative - length) <= tolerance * length,
      `${name}: the derivative along the gradient is ${derivative}, its length ${length}`,
    );
  }
}
