import { attribute, executeOne, float32 } from '../engine/engine.js';
import { Activation, roundedActivation } from '../engine/precision.js';
import { recomputed, record, type Recipe } from '../gradients/recording.js';
import type { Tensor, Tensor1D } from '../tensorflow.js';

/** max(x, 0). Its gradient at 0 is 0, as PyTorch's. @param recipe by which the result is computed again, not kept. */
export function relu<T extends Tensor>(x: T, recipe?: Recipe): T {
  const y = roundedActivation(executeOne('Relu', [float32], [x]));
  if (recipe !== undefined) recomputed(y, recipe);
  record('Relu', [x], [y], [new Activation(y)], ([dy], [y]) => [executeOne('ReluGrad', [float32], [dy!, y!])]);
  return y as T;
}

/** a + b of equal shapes. */
export function add<T extends Tensor>(a: T, b: T): T {
  requireEqualShapes('add', a, b);
  const y = roundedActivation(executeOne('AddV2', [float32], [a, b]));
  record('Add', [a, b], [y], [], ([dy]) => [dy!, dy!]);
  return y as T;
}

/**
 * max(a + b, 0) of equal shapes: the end of a residual block. It disposes a, so that a block's peak is one array lower.
 */
export function addReluInto<T extends Tensor>(a: T, b: T): T {
  requireEqualShapes('addReluInto', a, b);
  const sum = executeOne('AddV2', [float32], [a, b]);
  a.dispose();
  const rectified = executeOne('Relu', [float32], [sum]);
  sum.dispose();
  const y = roundedActivation(rectified);
  record('AddReluInto', [a, b], [y], [new Activation(y)], ([dy], [y]) => {
    const gradient = executeOne('ReluGrad', [float32], [dy!, y!]);
    return [gradient, gradient];
  });
  return y as T;
}

/** @throws Error naming both shapes where they differ. */
export function requireEqualShapes(name: string, a: Tensor, b: Tensor): void {
  if (a.shape.length !== b.shape.length || a.shape.some((side, i) => side !== b.shape[i])) {
    throw new Error(`${name}: shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] differ`);
  }
}

const channelsLast = [float32, attribute.text('data_format', 'NHWC')];

/** x + bias, along the last axis. @param x `[…, C]` @param bias `[C]` */
export function addBias<T extends Tensor>(x: T, bias: Tensor1D): T {
  const y = executeOne('BiasAdd', channelsLast, [x, bias]);
  record('AddBias', [x, bias], [y], [], ([dy], _, needed) => [
    dy!,
    needed[1] ? executeOne('BiasAddGrad', channelsLast, [dy!]) : null,
  ]);
  return y as T;
}
