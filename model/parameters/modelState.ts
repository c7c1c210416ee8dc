import { counterRandom } from '../../geometry/random.js';
import { tf, tidy, type Tensor } from '../../tensor/index.js';
import type { Start, TensorLayout } from './parameterLayout.js';
import type { ModelState } from '../types.js';

/** Values of a tensor in our layout; int32 for counters. */
export type TensorValues = Float32Array | Int32Array;

/**
 * A network's state from values by name.
 *
 * @param layouts `coarseLayout(…)` or `refinementLayout(…)`.
 * @param values gives the values of a tensor in our layout, which it may hand over; the state shares their memory until
 *   the first step.
 * @throws Error naming the tensor when the number of values does not fit its shape.
 */
export function modelState(
  layouts: readonly TensorLayout[],
  values: (layout: TensorLayout) => TensorValues,
): ModelState {
  const state = {
    parameters: {} as Record<string, ReturnType<typeof variable>>,
    buffers: {} as Record<string, ReturnType<typeof variable>>,
  };
  for (const layout of layouts) {
    const of = layout.role === 'parameter' ? state.parameters : state.buffers;
    of[layout.name] = variable(layout, values(layout));
  }
  return state;
}

function variable(layout: TensorLayout, values: TensorValues): ReturnType<typeof tf.variable> {
  const { name, shape, role } = layout;
  const size = shape.reduce((product, side) => product * side, 1);
  if (values.length !== size) {
    throw new Error(`${name} has ${values.length} values; its shape [${shape.join(', ')}] asks for ${size}`);
  }
  return tidy(() => {
    const tensor: Tensor = tf.tensor(values, [...shape], role === 'counter' ? 'int32' : 'float32');
    return tf.variable(tensor, role === 'parameter');
  });
}

/** Frees a state's tensors. */
export function disposeState(state: ModelState): void {
  for (const group of [state.parameters, state.buffers])
    for (const variable of Object.values(group)) variable.dispose();
}

/**
 * A network's state before training. Its numbers depend on the seed and the tensors' names alone.
 *
 * @param loaded values for tensors that start from elsewhere (the refinement's feature net from the coarse model's, a
 *   trunk trained on ImageNet), in our layout; undefined for the others.
 */
export function initialState(
  layouts: readonly TensorLayout[],
  seed: number,
  loaded: (layout: TensorLayout) => TensorValues | undefined = () => undefined,
): ModelState {
  return modelState(layouts, (layout) => loaded(layout) ?? initialValues(layout, seed));
}

/** The numbers that a tensor starts with, in our layout. */
export function initialValues(layout: TensorLayout, seed: number): TensorValues {
  const size = layout.shape.reduce((product, side) => product * side, 1);
  if (layout.role === 'counter') return new Int32Array(size);
  const values = new Float32Array(size);
  const random = counterRandom(seed, 'initial value', layout.name);
  draw(values, layout.start, random);
  return values;
}

function draw(values: Float32Array, start: Start, random: ReturnType<typeof counterRandom>): void {
  switch (start.kind) {
    case 'constant':
      values.set(start.values);
      return;
    case 'normal':
      for (let i = 0; i < values.length; i++) values[i] = start.deviation * random.gaussian();
      return;
    case 'uniform':
      for (let i = 0; i < values.length; i++) values[i] = start.bound * (2 * random.uniform() - 1);
  }
}
