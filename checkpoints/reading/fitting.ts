import { CheckpointMismatch } from '../errors.js';
import type { NamedArray, NamedArrays } from '../safetensors.js';

/** The array of that name, if it has that shape. @throws CheckpointMismatch */
export function fitting(arrays: NamedArrays, name: string, shape: readonly number[], checkpoint: string): NamedArray {
  const array = arrays[name];
  if (!array) throw new CheckpointMismatch(checkpoint, `${name} is missing`);
  if (array.shape.length !== shape.length || array.shape.some((length, axis) => length !== shape[axis])) {
    const [found, expected] = [array.shape.join(', '), shape.join(', ')];
    throw new CheckpointMismatch(checkpoint, `${name} has the shape [${found}]; the network's is [${expected}]`);
  }
  return array;
}
