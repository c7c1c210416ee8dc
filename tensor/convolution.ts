import { attribute, executeOne, float32, integers, runsOnGpu, view, type Attribute } from './engine.js';
import { record } from './recording.js';
import type { Tensor4D, Tensor5D, Tensor } from './tensorflow.js';

/**
 * Convolutions, channels last, which is what oneDNN and cuDNN take without reordering.
 *
 * Legend: N batch, D H W voxels or pixels, I input channels, O output channels, K kernel side.
 */

interface Geometry {
  readonly stride: number;
  /** Zeros put before and after each axis. TensorFlow's `SAME` pads unevenly where PyTorch pads evenly. */
  readonly padding: number;
}

const attributesOf = new Map<string, Attribute[]>();

function attributes(axes: 2 | 3, { stride, padding }: Geometry, kernelSide: number): Attribute[] {
  const key = `${axes}:${stride}:${padding}:${kernelSide}`;
  let known = attributesOf.get(key);
  if (known === undefined) {
    const spatial = <T>(value: T, outer: T): T[] => [outer, ...Array<T>(axes).fill(value), outer];
    const same = stride === 1 && 2 * padding + 1 === kernelSide;
    const kind = padding === 0 ? 'VALID' : same ? 'SAME' : 'EXPLICIT';
    known = [
      float32,
      attribute.integers('strides', spatial(stride, 1)),
      attribute.integers('dilations', spatial(1, 1)),
      attribute.text('data_format', axes === 2 ? 'NHWC' : 'NDHWC'),
      attribute.text('padding', kind),
    ];
    if (axes === 2) {
      const explicit = kind === 'EXPLICIT' ? [0, 0, padding, padding, padding, padding, 0, 0] : [];
      known.push(attribute.integers('explicit_paddings', explicit), attribute.flag('use_cudnn_on_gpu', true));
    } else if (kind === 'EXPLICIT') {
      throw new Error(`a 3-D convolution takes a padding of 0 or half its kernel with stride 1, not ${padding}`);
    }
    attributesOf.set(key, known);
  }
  return known;
}

/**
 * y[n,p,o] = Σ_{k,i} x[n, stride·p + k − padding, i] · filter[k,i,o], without bias.
 *
 * @param x `[N, H, W, I]` @param filter `[K, K, I, O]` @returns `[N, H', W', O]`
 */
export function convolution2d(x: Tensor4D, filter: Tensor4D, geometry: Geometry): Tensor4D {
  const shared = attributes(2, geometry, filter.shape[0]);
  const y = executeOne('Conv2D', shared, [x, filter]);
  record('Convolution2d', [x, filter], [y], [x, filter], ([dy], [x, filter], needed) => [
    needed[0] ? executeOne('Conv2DBackpropInput', shared, [integers(x!.shape), filter!, dy!]) : null,
    needed[1] ? convolution2dFilterGradient(x!, dy!, filter!.shape, geometry, shared) : null,
  ]);
  return y as Tensor4D;
}

function convolution2dFilterGradient(
  x: Tensor,
  dy: Tensor,
  shape: number[],
  geometry: Geometry,
  shared: Attribute[],
): Tensor {
  const [k, , inputs] = shape as [number, number, number];
  // oneDNN takes five times as long for few input channels and a stride: a ResNet's stem is both.
  if (geometry.stride === 2 && k % 2 === 1 && k > 1 && inputs <= 4 && !runsOnGpu()) {
    return stemFilterGradient(x, dy, shape, geometry.padding);
  }
  return executeOne('Conv2DBackpropFilter', shared, [x, integers(shape), dy]);
}

const depthTyped = [float32, attribute.integer('block_size', 2), attribute.text('data_format', 'NHWC')];
const padTyped = [float32, attribute.int32('Tpaddings')];
const sliceTyped = [float32, attribute.int32('Index')];

/**
 * Filter gradient of a convolution with stride 2 as that of one without: each 2×2 pixels become one with four times the
 * channels, and the kernel of side K becomes one of side (K + 1)/2.
 */
function stemFilterGradient(x: Tensor, dy: Tensor, shape: number[], padding: number): Tensor {
  const [k, , i, o] = shape as [number, number, number, number];
  const half = (k + 1) / 2;
  const behind = (axis: number): number => 2 * (dy.shape[axis]! + half - 1) - x.shape[axis]! - padding;
  const paddings = integers([0, 0, padding, behind(1), padding, behind(2), 0, 0], [4, 2]);
  const padded = executeOne('Pad', padTyped, [x, paddings]);
  const folded = executeOne('SpaceToDepth', depthTyped, [padded]);
  const attributesOfFold = attributes(2, { stride: 1, padding: 0 }, half);
  const foldedShape = integers([half, half, 4 * i, o]);
  const gradient = executeOne('Conv2DBackpropFilter', attributesOfFold, [folded, foldedShape, dy]);
  // Channels of a folded pixel are (row, column, channel); [a, b, p, q, i, o] → [2a + p, 2b + q, i, o].
  const blocks = view(gradient, [half, half, 2, 2, i, o]);
  const transposeTyped = [float32, attribute.int32('Tperm')];
  const unfolded = executeOne('Transpose', transposeTyped, [blocks, integers([0, 2, 1, 3, 4, 5])]);
  const whole = view(unfolded, [k + 1, k + 1, i, o]);
  return executeOne('Slice', sliceTyped, [whole, integers([0, 0, 0, 0]), integers(shape)]);
}

const shape32 = attribute.int32('Tshape');

/**
 * The same over three axes.
 *
 * @param x `[N, D, H, W, I]` @param filter `[K, K, K, I, O]` @returns `[N, D', H', W', O]`
 */
export function convolution3d(x: Tensor5D, filter: Tensor5D, geometry: Geometry): Tensor5D {
  const shared = attributes(3, geometry, filter.shape[0]);
  const y = executeOne('Conv3D', shared, [x, filter]);
  record('Convolution3d', [x, filter], [y], [x, filter], ([dy], [x, filter], needed) => [
    needed[0] ? convolution3dInputGradient(dy!, filter!, x!.shape, shared) : null,
    needed[1] ? convolution3dFilterGradient(x!, dy!, filter!.shape, shared) : null,
  ]);
  return y as Tensor5D;
}

function convolution3dInputGradient(dy: Tensor, filter: Tensor, shape: number[], shared: Attribute[]): Tensor {
  return executeOne('Conv3DBackpropInputV2', [...shared, shape32], [integers(shape), filter, dy]);
}

function convolution3dFilterGradient(x: Tensor, dy: Tensor, shape: number[], shared: Attribute[]): Tensor {
  return executeOne('Conv3DBackpropFilterV2', shared, [x, integers(shape), dy]);
}

/**
 * Transposed convolution of kernel 2³ and stride 2, which doubles the resolution without overlap:
 * y[n, 2p + k, o] = Σ_i x[n,p,i] · filter[k,o,i].
 *
 * @param x `[N, D, H, W, I]` @param filter `[2, 2, 2, O, I]` @returns `[N, 2D, 2H, 2W, O]`
 */
export function transposedConvolution3d(x: Tensor5D, filter: Tensor5D): Tensor5D {
  const shared = attributes(3, { stride: 2, padding: 0 }, 2);
  const [n, d, h, w] = x.shape;
  const y = convolution3dInputGradient(x, filter, [n, 2 * d, 2 * h, 2 * w, filter.shape[3]], shared);
  record('TransposedConvolution3d', [x, filter], [y], [x, filter], ([dy], [x, filter], needed) => [
    needed[0] ? executeOne('Conv3D', shared, [dy!, filter!]) : null,
    needed[1] ? convolution3dFilterGradient(dy!, x!, filter!.shape, shared) : null,
  ]);
  return y as Tensor5D;
}
