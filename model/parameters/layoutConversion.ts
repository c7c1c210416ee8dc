import type { TensorLayout } from './parameterLayout.js';

/**
 * Conversion of a tensor's values between PyTorch's layout and ours (row-major both; see TensorLayout).
 * @returns a new array; the caller's. @throws Error naming the tensor when the number of values does not fit.
 */
export function fromPublished<A extends Float32Array | Int32Array>(layout: TensorLayout, published: A): A {
  return permuted(layout, published, (to, from, values, result) => (result[to] = values[from]!));
}

/** The inverse of {@link fromPublished}. */
export function toPublished<A extends Float32Array | Int32Array>(layout: TensorLayout, ours: A): A {
  return permuted(layout, ours, (to, from, values, result) => (result[from] = values[to]!));
}

type Copy<A> = (inOurs: number, inPublished: number, values: A, result: A) => void;

function permuted<A extends Float32Array | Int32Array>(layout: TensorLayout, values: A, copy: Copy<A>): A {
  const { name, publishedView, axes } = layout;
  const size = publishedView.reduce((product, side) => product * side, 1);
  if (values.length !== size) throw new Error(`${name} has ${values.length} values; its shape asks for ${size}`);
  const result = values.slice() as A;
  if (axes.every((axis, i) => axis === i)) return result;
  // Strides of the published array along each of our axes.
  const strideOf = publishedView.map((_, axis) =>
    publishedView.slice(axis + 1).reduce((product, side) => product * side, 1),
  );
  const sides = axes.map((axis) => publishedView[axis]!);
  const strides = axes.map((axis) => strideOf[axis]!);
  const last = sides.length - 1;
  const at = new Array<number>(sides.length).fill(0);
  let inPublished = 0;
  for (let inOurs = 0; inOurs < size; inOurs++) {
    copy(inOurs, inPublished, values, result);
    for (let axis = last; axis >= 0; axis--) {
      at[axis]!++;
      inPublished += strides[axis]!;
      if (at[axis]! < sides[axis]!) break;
      inPublished -= at[axis]! * strides[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
