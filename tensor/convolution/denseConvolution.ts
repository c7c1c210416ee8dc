import { attribute, executeOne, float32, integers, view } from '../engine/engine.js';
import { product } from '../kernels/matrices.js';
import { tf, type Tensor } from '../tensorflow.js';
import { tidy } from '../engine/tidy.js';

/**
 * Convolution 3³ of cubes of 2³ voxels, as a matrix product: every voxel sees all eight, so a direct convolution spends
 * 19 of its 27 taps on the zeros around them, and its filter gradient is slow.
 *
 *   y = x · W,   W[(p, i), (q, o)] = filter[p − q + 1, i, o].
 *
 * Legend: N cubes, p q voxels of one, I O channels.
 */

let tapsOfPairs: { readonly indices: Tensor; readonly selection: Tensor } | undefined;

/** The tap that leads from voxel p to voxel q: as indices `[64]`, and as a matrix of zeros and ones `[64, 27]`. */
function taps(): { readonly indices: Tensor; readonly selection: Tensor } {
  if (tapsOfPairs !== undefined) return tapsOfPairs;
  const indices: number[] = [];
  for (let p = 0; p < 8; p++) {
    for (let q = 0; q < 8; q++) {
      const along = (bit: number): number => ((p >> bit) & 1) - ((q >> bit) & 1) + 1;
      indices.push(9 * along(2) + 3 * along(1) + along(0));
    }
  }
  const selection = new Float32Array(64 * 27);
  indices.forEach((tap, pair) => (selection[27 * pair + tap] = 1));
  tapsOfPairs = { indices: integers(indices), selection: tf.keep(tf.tensor2d(selection, [64, 27])) };
  return tapsOfPairs;
}

const transposeTyped = [float32, attribute.int32('Tperm')];
const gatherTyped = [
  { ...float32, name: 'Tparams' },
  attribute.int32('Tindices'),
  attribute.int32('Taxis'),
  attribute.integer('batch_dims', 0),
];

/** W. `[3, 3, 3, I, O]` → `[8·I, 8·O]` */
function matrixOf(filter: Tensor): Tensor {
  return tidy(() => {
    const [, , , i, o] = filter.shape as [number, number, number, number, number];
    const pairs = executeOne('GatherV2', gatherTyped, [view(filter, [27, i * o]), taps().indices, integers([0], [])]);
    const rows = executeOne('Transpose', transposeTyped, [view(pairs, [8, 8, i, o]), integers([0, 2, 1, 3])]);
    return view(rows, [8 * i, 8 * o]);
  });
}

/** `[N, 2, 2, 2, I]` and `[3, 3, 3, I, O]` → `[N, 2, 2, 2, O]` */
export function denseConvolution(x: Tensor, filter: Tensor): Tensor {
  return tidy(() => {
    const [n, , , , i] = x.shape as [number, number, number, number, number];
    const o = filter.shape[4]!;
    return view(product(view(x, [n, 8 * i]), matrixOf(filter)), [n, 2, 2, 2, o]);
  });
}

/** Gradient by x. */
export function denseInputGradient(dy: Tensor, filter: Tensor): Tensor {
  return tidy(() => {
    const n = dy.shape[0];
    const [, , , i, o] = filter.shape as [number, number, number, number, number];
    return view(product(view(dy, [n, 8 * o]), matrixOf(filter), false, true), [n, 2, 2, 2, i]);
  });
}

/** Gradient by the filter. */
export function denseFilterGradient(x: Tensor, dy: Tensor, filterShape: number[]): Tensor {
  return tidy(() => {
    const n = x.shape[0];
    const [, , , i, o] = filterShape as [number, number, number, number, number];
    const rows = view(product(view(x, [n, 8 * i]), view(dy, [n, 8 * o]), true), [8, i, 8, o]);
    const pairs = executeOne('Transpose', transposeTyped, [rows, integers([0, 2, 1, 3])]);
    return view(product(taps().selection, view(pairs, [64, i * o]), true), filterShape);
  });
}
