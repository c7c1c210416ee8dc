import { modelState, type ModelState, type TensorLayout } from '../../model/index.js';
import { tf, tidy, type Tensor } from '../../tensor/index.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
import type { NamedArray, NamedArrays } from '../../checkpoints/safetensors.js';
import { CheckpointMismatch } from '../../checkpoints/errors.js';

/** Copies tensors off the device; what happens to them later changes nothing. */
export function readArrays(tensors: Readonly<Record<string, Tensor>>): NamedArrays {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]): [string, NamedArray] => {
      const values = tensor.dataSync();
      if (values instanceof Float32Array || values instanceof Int32Array)
        return [name, { shape: tensor.shape, values }];
      throw new Error(`${name} has numbers of type ${tensor.dtype}; expected float32 or int32`);
    }),
  );
}

/** A model's parameters and buffers by name, off the device. */
export function readModelArrays(state: ModelState): NamedArrays {
  return readArrays({ ...state.parameters, ...state.buffers });
}

/**
 * A model with the numbers of a checkpoint.
 *
 * @param checkpoint where they come from, for messages.
 * @throws CheckpointMismatch when names or shapes differ from the network's.
 */
export function modelStateFrom(layouts: readonly TensorLayout[], arrays: NamedArrays, checkpoint: string): ModelState {
  const names = new Set(layouts.map(({ name }) => name));
  const superfluous = Object.keys(arrays).find((name) => !names.has(name));
  if (superfluous !== undefined) throw new CheckpointMismatch(checkpoint, `the network has no ${superfluous}`);
  return modelState(layouts, ({ name, shape }) => fitting(arrays, name, shape, checkpoint).values);
}

/** Lends arrays to `use` as tensors, which are freed afterwards. */
export function withTensors(arrays: NamedArrays, use: (tensors: Record<string, Tensor>) => void): void {
  tidy(() => {
    const tensors = Object.entries(arrays).map(([name, { shape, values }]): [string, Tensor] => [
      name,
      tf.tensor(values, [...shape], values instanceof Float32Array ? 'float32' : 'int32'),
    ]);
    use(Object.fromEntries(tensors));
  });
}
