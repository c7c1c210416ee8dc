import { attribute, execute, executeOne, filled, float32, integers } from '../engine/engine.js';
import { record } from '../gradients/recording.js';
import type { Tensor } from '../tensorflow.js';

const sliceTyped = [float32, attribute.int32('Index')];

/** A part of a tensor, for use inside of a kernel: not recorded. */
export function sliced(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  return executeOne('Slice', sliceTyped, [x, integers(begin), integers(size)]);
}

const stridedSliceTyped = [
  float32,
  attribute.int32('Index'),
  ...['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].map((mask) =>
    attribute.integer(mask, 0),
  ),
];

/** Every so many entries along each axis, the first among them, for use inside of a kernel: not recorded. */
export function strided(x: Tensor, strides: readonly number[]): Tensor {
  const begin = strides.map(() => 0);
  return executeOne('StridedSlice', stridedSliceTyped, [x, integers(begin), integers(x.shape), integers(strides)]);
}

/** Tensors along their first axis, for use inside of a kernel: not recorded. One by itself is returned as it is. */
export function concatenated(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!;
  const typed = [float32, attribute.int32('Tidx'), attribute.integer('N', parts.length)];
  return executeOne('ConcatV2', typed, [...parts, integers([0], [])]);
}

/** Cuts a tensor along its first axis into equal parts. Differentiable. `[M, …]` → `count` × `[M / count, …]` */
export function splitBatch<T extends Tensor>(x: T, count: number): T[] {
  if (count === 1) return [x];
  const parts = execute('Split', [float32, attribute.integer('num_split', count)], [integers([0], []), x], count);
  record('SplitBatch', [x], parts, [], (gradients) => {
    const { shape } = parts[0]!;
    const whole = gradients.map((gradient) => gradient ?? filled(shape, 0));
    return [concatenated(whole)];
  });
  return parts as T[];
}

/** Joins tensors along their first axis. Differentiable. */
export function joinBatch<T extends Tensor>(parts: readonly T[]): T {
  if (parts.length === 1) return parts[0]!;
  const y = concatenated(parts);
  const shapes = parts.map((part) => part.shape);
  record('JoinBatch', [...parts], [y], [], ([dy]) => {
    let from = 0;
    return shapes.map((shape) => {
      const begin = [from, ...shape.slice(1).map(() => 0)];
      from += shape[0];
      return sliced(dy!, begin, shape);
    });
  });
  return y as T;
}
