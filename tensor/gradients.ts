import { backpropagate, GradientMap, intoScope } from './backpropagate.js';
import { engine, view } from './engine.js';
import { record, recordGradients } from './recording.js';
import { tf, type Tensor } from './tensorflow.js';

/** What a differentiated function returns: the loss, and whatever else its caller wants to keep. */
export interface Differentiable {
  readonly loss: Tensor;
}

/**
 * Runs `f` and differentiates the loss that it returns by named tensors.
 *
 * @param f may use `tf.*`, the kernels of this room, `rematerialize`, and `hostLoss` for a loss computed on the host.
 *   Tensors in what it returns survive, all others are freed.
 * @param parameters the leaves; usually a model's variables by name.
 * @returns what `f` returned, and a gradient for every parameter (zeros where the loss does not depend on it). All
 *   tensors belong to the caller or to the surrounding `tidy`.
 * @throws Error when the loss is not one number, or an operation on the way has no known gradient.
 */
export function valueAndGradients<A extends Differentiable>(
  f: () => A,
  parameters: Readonly<Record<string, Tensor>>,
): { readonly value: A; readonly gradients: Record<string, Tensor> } {
  const leaves = new Set(Object.values(parameters).map((parameter) => parameter.id));
  const { value, recording } = recordGradients(f, leaves, leaves);
  const { loss } = value;
  const found = new GradientMap();
  engine.startScope('backward');
  try {
    if (loss.size !== 1) throw new Error(`the loss must be one number; its shape is [${loss.shape.join(', ')}]`);
    if (recording.watched.has(loss.id)) found.add(loss, tf.ones(loss.shape), 'loss');
    backpropagate(recording, found);
  } catch (error) {
    found.dispose();
    throw error;
  } finally {
    engine.endScope();
  }
  const gradients: Record<string, Tensor> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const gradient = found.take(parameter.id);
    gradients[name] = gradient === null ? tf.zerosLike(parameter) : intoScope(gradient);
  }
  found.dispose();
  return { value, gradients };
}

/**
 * A loss that is computed on the host, as a differentiable number.
 *
 * @param x what it is a function of; read back (copied) to the host.
 * @param f gets its values in row-major order, and returns the loss with its gradient by them, in the same order.
 */
export function hostLoss(
  x: Tensor,
  f: (values: Float32Array) => { readonly loss: number; readonly gradient: Float32Array },
): Tensor {
  const { loss, gradient } = f(x.dataSync<'float32'>());
  if (gradient.length !== x.size) throw new Error(`hostLoss: a gradient of ${gradient.length} numbers for ${x.size}`);
  const output = tf.scalar(loss);
  record('HostLoss', [x], [output], [tf.tensor(gradient, x.shape)], ([dy], [dx]) => [tf.mul(dx!, dy!)]);
  return output;
}

/** A tensor under another shape, without a copy. Differentiable. One side may be −1. */
export function reshape<T extends Tensor = Tensor>(x: Tensor, shape: readonly number[]): T {
  const known = shape.reduce((product, side) => (side < 0 ? product : product * side), 1);
  const sides = shape.map((side) => (side < 0 ? x.size / known : side));
  if (sides.reduce((product, side) => product * side, 1) !== x.size) {
    throw new Error(`reshape: [${x.shape.join(', ')}] has ${x.size} values, [${shape.join(', ')}] another number`);
  }
  const output = view(x, sides);
  record('Reshape', [x], [output], [], ([dy]) => [dy!]);
  return output as T;
}
