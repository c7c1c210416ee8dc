import { attribute, backend, engine, execute, executeOne, float32, type Attribute } from '../engine/engine.js';
import { tf, type Tensor } from '../tensorflow.js';

/**
 * AdamW by TensorFlow's own fused kernel (`ResourceApplyAdam`): four calls a parameter, instead of a dozen passes over
 * its memory. The kernel works on TensorFlow's resource variables, of which tfjs knows nothing: the moments live in such
 * variables, and a parameter passes through one for the time of its update.
 */

/** A moment of one parameter, in a buffer that TensorFlow updates in place. */
export interface Moment {
  /** The resource's handle. Its shape is that of the values, so that `tensorMemory` counts them. */
  readonly handle: Tensor;
}

/** The running means of one parameter's gradient and of its square. */
export interface Moments {
  readonly first: Moment;
  readonly second: Moment;
}

const floatValues: Attribute = attribute.float32('dtype');
const shapeAttribute = (backend.binding as unknown as { readonly TF_ATTR_SHAPE: number }).TF_ATTR_SHAPE;
/** TensorFlow's name for a resource that lives as long as its handle (`ResourceHandle::ANONYMOUS_NAME`). */
const anonymous = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

function createResource(shape: number[]): Tensor {
  const attributes = [
    floatValues,
    { name: 'shape', type: shapeAttribute, value: shape },
    attribute.text('shared_name', anonymous),
  ];
  const [output] = backend.binding.executeOp('VarHandleOp', attributes, [], 1);
  const dataId = {};
  const { id } = output!;
  backend.tensorMap.set(dataId, { shape, dtype: backend.binding.TF_FLOAT, id, values: null, refCount: 1 });
  const handle = engine.makeTensorFromTensorInfo({ dataId, shape, dtype: 'float32' });
  handle.kept = true;
  return handle;
}

/** Zero moments for a parameter. The caller frees them by {@link disposeMoments}; no `tidy` does. */
export function createMoments(shape: number[]): Moments {
  const zeros = tf.zeros(shape);
  const moments = { first: { handle: createResource(shape) }, second: { handle: createResource(shape) } };
  // Each gets a buffer of its own at its first update, for a shared buffer is copied before it is written to.
  writeMoment(moments.first, zeros);
  writeMoment(moments.second, zeros);
  zeros.dispose();
  return moments;
}

/** Frees the moments. */
export function disposeMoments({ first, second }: Moments): void {
  first.handle.dispose();
  second.handle.dispose();
}

/**
 * The values of a moment, as they are now: later updates do not change what was returned.
 *
 * @returns a tensor of the current scope. It shares memory until the next update.
 */
export function readMoment({ handle }: Moment): Tensor {
  return executeOne('ReadVariableOp', [floatValues], [handle]);
}

/** Sets a moment. `values` stays its owner's. */
export function writeMoment({ handle }: Moment, values: Tensor): void {
  if (values.shape.length !== handle.shape.length || values.shape.some((side, axis) => side !== handle.shape[axis])) {
    throw new Error(`a moment of [${values.shape.join(', ')}] for a parameter of [${handle.shape.join(', ')}]`);
  }
  execute('AssignVariableOp', [floatValues], [handle, values], 0);
}

export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** The numbers of one update on the device. */
export interface AdamConstants {
  readonly decay: Tensor;
  /** Learning rate, β1, β2, ε in the kernel's sense; zero for the powers of β, whose work `rate` has done. */
  readonly rate: Tensor;
  readonly beta1: Tensor;
  readonly beta2: Tensor;
  readonly epsilon: Tensor;
  readonly zero: Tensor;
}

/** How many numbers {@link adamNumbers} returns. */
const numbersOfUpdate = 5;

/**
 * Numbers that all parameters with the same settings and the same count of updates share.
 *
 * PyTorch's update is p ← p − lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε), the kernel's p ← p − rate · m / (√v + ε'):
 * so rate = lr · √(1 − β2ᵗ) / (1 − β1ᵗ) and ε' = ε · √(1 − β2ᵗ). The corrections are computed in float64 for the β
 * that the kernel uses, which are rounded to float32.
 *
 * @param step t, from 1.
 * @returns decay, rate, β1, β2, ε'
 */
export function adamNumbers(settings: AdamSettings, step: number): number[] {
  const correction1 = 1 - Math.fround(settings.beta1) ** step;
  const correction2 = Math.sqrt(1 - Math.fround(settings.beta2) ** step);
  return [
    1 - settings.learningRate * settings.weightDecay,
    (settings.learningRate * correction2) / correction1,
    settings.beta1,
    settings.beta2,
    settings.epsilon * correction2,
  ];
}

/**
 * Sets of numbers on the device.
 *
 * @param numbers of `adamNumbers`, one set after the other. @returns tensors of the current scope, a set each.
 */
export function adamConstants(numbers: Tensor): AdamConstants[] {
  const unpack = [float32, attribute.integer('num', numbers.size), attribute.integer('axis', 0)];
  const scalars = execute('Unpack', unpack, [numbers], numbers.size);
  const zero = tf.scalar(0);
  return Array.from({ length: numbers.size / numbersOfUpdate }, (_, set) => {
    const [decay, rate, beta1, beta2, epsilon] = scalars.slice(numbersOfUpdate * set) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    return { decay, rate, beta1, beta2, epsilon, zero };
  });
}

/** The same where `applies` holds, else such as leave a parameter and its moments bit for bit, for gradients of zero. */
export function adamConstantsIf(applies: Tensor, constants: AdamConstants): AdamConstants {
  const { decay, rate, beta1, beta2, epsilon, zero } = constants;
  const one = tf.scalar(1);
  const choose = (value: Tensor, otherwise: Tensor): Tensor =>
    executeOne('SelectV2', [float32], [applies, value, otherwise]);
  return {
    decay: choose(decay, one),
    rate: choose(rate, zero),
    beta1: choose(beta1, one),
    beta2: choose(beta2, one),
    epsilon,
    zero,
  };
}

const adamAttributes = [float32, attribute.flag('use_locking', false), attribute.flag('use_nesterov', false)];

/** So many parameters are updated at once, where the order of operations is free (functions/part.ts). */
const passagesAtOnce = 4;

/** What parameters pass through for the time of their update, by turns. An optimiser has its own. */
export class Passages {
  private readonly handles = Array.from({ length: passagesAtOnce }, () => createResource([]));
  private turn = 0;

  next(): Tensor {
    return this.handles[this.turn++ % passagesAtOnce]!;
  }

  dispose(): void {
    for (const handle of this.handles) handle.dispose();
  }
}

/**
 * One AdamW update: decoupled decay first, then Adam. The moments are updated in place.
 *
 * @param passage that no other update which may run at the same time has. @param gradient of the parameter's shape; stays its owner's.
 * @returns the new parameter, of the current scope.
 */
export function updatedByAdam(
  parameter: Tensor,
  moments: Moments,
  passage: Tensor,
  gradient: Tensor,
  constants: AdamConstants,
): Tensor {
  const { decay, rate, beta1, beta2, epsilon, zero } = constants;
  const decayed = executeOne('Mul', [float32], [parameter, decay]);
  execute('AssignVariableOp', [floatValues], [passage, decayed], 0);
  // The only holder of the buffer is now the resource, which therefore updates it in place.
  decayed.dispose();
  const { first, second } = moments;
  const inputs = [passage, first.handle, second.handle, zero, zero, rate, beta1, beta2, epsilon, gradient];
  execute('ResourceApplyAdam', adamAttributes, inputs, 0);
  return executeOne('ReadVariableOp', [floatValues], [passage]);
}
