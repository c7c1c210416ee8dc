import { sliced } from '../kernels/batches.js';
import { attribute, executeOne, float32, integers, view } from '../engine/engine.js';
import { executeConvolution } from '../engine/precision.js';
import { tidy } from '../engine/tidy.js';
import type { Tensor } from '../tensorflow.js';

/**
 * Filter gradient of a convolution over volumes that keeps their size, as one of planes: those of all depths are the
 * batch, and the kernel's depths are output channels, for which dy is laid beside itself, shifted.
 *
 *   df[a, b, c, i, o] = Σ_{n,d,h,w} x[n, d, h + b − p, w + c − p, i] · dy[n, d − a + p, h, w, o]
 *
 * With AVX2 oneDNN computes the planes' gradient where the numbers lie. For that of volumes, channels last, it first writes
 * every voxel K³ times: three times as long for 7³ and few channels, as long for 3³.
 *
 * Legend: N volumes, D H W voxels, I O channels, K kernel's side, p = (K − 1) / 2, a b c a tap.
 *
 * @param x `[N, D, H, W, I]` @param dy `[N, D, H, W, O]` @param filterShape `[K, K, K, I, O]`
 */
export function planarFilterGradient(x: Tensor, dy: Tensor, filterShape: readonly number[]): Tensor {
  return tidy(() => {
    const [n, d, h, w, i] = x.shape as [number, number, number, number, number];
    const [k, , , , o] = filterShape as [number, number, number, number, number];
    const planes = executeConvolution('Conv2DBackpropFilter', planar, [
      view(x, [n * d, h, w, i]),
      integers([k, k, i, k * o]),
      view(shiftedByDepths(dy, k), [n * d, h, w, k * o]),
    ]);
    return executeOne('Transpose', transposeTyped, [view(planes, [k, k, i, k, o]), integers([3, 0, 1, 2, 4])]);
  });
}

/** dy at d − a + p for each a, zero beyond the volume. `[N, D, H, W, O]` → `[N, D, H, W, K·O]` */
function shiftedByDepths(dy: Tensor, k: number): Tensor {
  const p = (k - 1) / 2;
  const padded = executeOne('Pad', padTyped, [dy, integers([0, 0, p, p, 0, 0, 0, 0, 0, 0], [5, 2])]);
  const shifted = Array.from({ length: k }, (_, a) => sliced(padded, [0, k - 1 - a, 0, 0, 0], dy.shape));
  const typed = [float32, attribute.int32('Tidx'), attribute.integer('N', k)];
  return executeOne('ConcatV2', typed, [...shifted, integers([4], [])]);
}

const planar = [
  float32,
  attribute.integers('strides', [1, 1, 1, 1]),
  attribute.integers('dilations', [1, 1, 1, 1]),
  attribute.text('data_format', 'NHWC'),
  attribute.text('padding', 'SAME'),
  attribute.integers('explicit_paddings', []),
  attribute.flag('use_cudnn_on_gpu', true),
];
const padTyped = [float32, attribute.int32('Tpaddings')];
const transposeTyped = [float32, attribute.int32('Tperm')];
