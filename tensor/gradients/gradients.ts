import { backpropagate, GradientMap, intoScope } from './backpropagate.js';
import { engine, executeOne, float32, view } from '../engine/engine.js';
import { disposeSaved, record, recordGradients } from './recording.js';
import { tf, type Tensor } from '../tensorflow.js';

/** What a differentiated function returns: the loss, and whatever else its caller wants to keep. */
export interface Differentiable {
  readonly loss: Tensor;
}

/** A function that has run, and what its gradients can be computed from. */
export interface ForwardPass<A> {
  /** What it returned. */
  readonly value: A;
  /**
   * The gradient of a number by each parameter, from its gradients by what the function returned. To be called once, or
   * `discard` instead.
   *
   * @param outputs pairs of a tensor in `value` and the gradient by it, of the same size.
   * @returns a gradient for every parameter (zeros where none of the outputs depends on it): the caller's, or the
   *   surrounding `tidy`'s.
   */
  backward(outputs: readonly (readonly [output: Tensor, gradient: Tensor])[]): Record<string, Tensor>;
  /** Frees what was kept for `backward`. */
  discard(): void;
}

/**
 * Runs `f` and keeps what its gradients by named tensors need.
 *
 * @param f may use `tf.*`, the kernels of this room, `rematerialize`, and `hostLoss` for a loss computed on the host.
 *   Tensors in what it returns survive, all others are freed.
 * @param parameters the leaves; usually a model's variables by name.
 */
export function forwardPass<A>(f: () => A, parameters: Readonly<Record<string, Tensor>>): ForwardPass<A> {
  const leaves = new Set(Object.values(parameters).map((parameter) => parameter.id));
  const { value, recording } = recordGradients(f, leaves, leaves);
  const backward = (outputs: readonly (readonly [Tensor, Tensor])[]): Record<string, Tensor> => {
    const found = new GradientMap();
    engine.startScope('backward');
    try {
      for (const [output, gradient] of outputs) {
        if (recording.watched.has(output.id)) found.add(output, gradient, 'output');
      }
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
      gradients[name] = gradient === null ? executeOne('ZerosLike', [float32], [parameter]) : intoScope(gradient);
    }
    found.dispose();
    return gradients;
  };
  return { value, backward, discard: () => disposeSaved(recording.tape) };
}

/**
 * Runs `f` and differentiates the loss that it returns by named tensors (see {@link forwardPass}).
 *
 * @returns what `f` returned, and a gradient for every parameter. All tensors belong to the caller or to the surrounding
 *   `tidy`.
 * @throws Error when the loss is not one number, or an operation on the way has no known gradient.
 */
export function valueAndGradients<A extends Differentiable>(
  f: () => A,
  parameters: Readonly<Record<string, Tensor>>,
): { readonly value: A; readonly gradients: Record<string, Tensor> } {
  const pass = forwardPass(f, parameters);
  const { loss } = pass.value;
  if (loss.size !== 1) {
    pass.discard();
    throw new Error(`the loss must be one number; its shape is [${loss.shape.join(', ')}]`);
  }
  const one = tf.ones(loss.shape);
  try {
    return { value: pass.value, gradients: pass.backward([[loss, one]]) };
  } finally {
    one.dispose();
  }
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
