import { strided } from '../kernels/batches.js';
import { denseConvolution, denseFilterGradient, denseInputGradient } from './denseConvolution.js';
import { ownFilterGradient, ownFilterGradientFits } from './filterGradient.js';
import {
  narrowConvolution,
  narrowConvolutionFits,
  narrowFilterGradient,
  narrowInputGradient,
} from './narrowConvolution.js';
import { attribute, executeOne, float32, integers, runsOnGpu, view, type Attribute } from '../engine/engine.js';
import { Activation, asActivation, executeConvolution, roundedActivation } from '../engine/precision.js';
import { frameByZeros } from '../kernels/padding.js';
import { countOperations } from '../engine/phases.js';
import { record } from '../gradients/recording.js';
import { spectralConvolution, spectralConvolutionGradients } from './spectralConvolution.js';
import type { Tensor4D, Tensor5D, Tensor } from '../tensorflow.js';
import { tidy } from '../engine/tidy.js';

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
    if (padding > 0 && (stride > 1 || 2 * padding + 1 !== kernelSide)) {
      throw new Error(`a convolution of side ${kernelSide} takes a padding of 0 or half its side, not ${padding}`);
    }
    known = [
      float32,
      attribute.integers('strides', spatial(stride, 1)),
      attribute.integers('dilations', spatial(1, 1)),
      attribute.text('data_format', axes === 2 ? 'NHWC' : 'NDHWC'),
      attribute.text('padding', padding === 0 ? 'VALID' : 'SAME'),
    ];
    if (axes === 2) known.push(attribute.integers('explicit_paddings', []), attribute.flag('use_cudnn_on_gpu', true));
    attributesOf.set(key, known);
  }
  return known;
}

/**
 * y[n,p,o] = Σ_{k,i} x[n, stride·p + k − padding, i] · filter[k,i,o], without bias.
 *
 * @param x `[N, H, W, I]` @param filter `[K, K, I, O]`
 * @param parts the sums are made in so many parts of the input channels, each of which is rounded on its own: long sums
 *   lose digits.
 * @returns `[N, H', W', O]`
 */
export function convolution2d(x: Tensor4D, filter: Tensor4D, geometry: Geometry, parts = 1): Tensor4D {
  const { stride, padding } = geometry;
  if (stride > 1 && padding > 0) {
    // Explicit padding would keep TensorFlow from using oneDNN, whose filter gradient is eight times as fast for a stem.
    return tidy(() => convolution2d(frameByZeros(x, padding), filter, { stride, padding: 0 }, parts));
  }
  const shared = attributes(2, geometry, filter.shape[0]);
  return tidy(() => {
    const [taken, weights] = [asActivation(x), asActivation(filter)];
    const computed =
      parts > 1 ? inParts(taken, weights, shared, parts) : executeConvolution('Conv2D', shared, [taken, weights]);
    const y = roundedActivation(computed);
    const count = 2 * y.size * (filter.size / filter.shape[3]);
    countOperations(count);
    record('Convolution2d', [x, filter], [y], [new Activation(taken), filter], ([dy], [x, filter], needed) => {
      countOperations(count * needed.filter(Boolean).length);
      const inputs = (): Tensor[] => [integers(x!.shape), asActivation(filter!), dy!];
      return [
        needed[0] ? executeConvolution('Conv2DBackpropInput', shared, inputs()) : null,
        needed[1] ? convolution2dFilterGradient(x!, dy!, filter!, geometry) : null,
      ];
    });
    return y as Tensor4D;
  });
}

function convolution2dFilterGradient(x: Tensor, dy: Tensor, filter: Tensor, geometry: Geometry): Tensor {
  if (ownFilterGradientFits()) return ownFilterGradient(x, filter, dy, geometry.stride, geometry.padding > 0);
  const [side] = filter.shape as [number];
  const shape = integers(filter.shape);
  if (side > 1 || geometry.stride === 1) {
    return executeConvolution('Conv2DBackpropFilter', attributes(2, geometry, side), [x, shape, dy]);
  }
  // oneDNN (TensorFlow 2.21, AVX2) writes beyond its scratch memory for 1×1 filters of few channels with a stride: the
  // pixels that count are picked before.
  return tidy(() => {
    const picked = strided(x, [1, geometry.stride, geometry.stride, 1]);
    return executeConvolution('Conv2DBackpropFilter', attributes(2, { stride: 1, padding: 0 }, 1), [picked, shape, dy]);
  });
}

/** All parts are one grouped convolution: group g sees the g-th part of the input channels. */
function inParts(x: Tensor4D, filter: Tensor4D, shared: Attribute[], parts: number): Tensor {
  return tidy(() => {
    const [k, , i, o] = filter.shape;
    const groups = view(filter, [k, k, parts, i / parts, o]);
    const grouped = executeOne('Transpose', transposeTyped, [groups, integers([0, 1, 3, 2, 4])]);
    const y = executeConvolution('Conv2D', shared, [x, view(grouped, [k, k, i / parts, parts * o])]);
    const [n, h, w] = y.shape as [number, number, number];
    const sum = executeOne('Sum', sumTyped, [view(y, [n * h * w, parts, o]), integers([1])]);
    return view(sum, [n, h, w, o]);
  });
}

const transposeTyped = [float32, attribute.int32('Tperm')];
const sumTyped = [float32, attribute.int32('Tidx'), attribute.flag('keep_dims', false)];

const shape32 = attribute.int32('Tshape');

/**
 * The same over three axes.
 *
 * @param x `[N, D, H, W, I]` @param filter `[K, K, K, I, O]` @returns `[N, D', H', W', O]`
 */
export function convolution3d(x: Tensor5D, filter: Tensor5D, geometry: Geometry): Tensor5D {
  const shared = attributes(3, geometry, filter.shape[0]);
  const how = chosenAlgorithm(x.shape, filter.shape, geometry);
  return tidy(() => {
    const [taken, weights] = [asActivation(x), asActivation(filter)];
    const computed = {
      direct: () => executeConvolution('Conv3D', shared, [taken, weights]),
      spectral: () => spectralConvolution(taken, weights),
      dense: () => denseConvolution(taken, weights),
      narrow: () => narrowConvolution(taken, weights),
    }[how.forward]();
    const y = roundedActivation(computed);
    const count = 2 * y.size * (filter.size / filter.shape[4]);
    countOperations(count);
    record('Convolution3d', [x, filter], [y], [new Activation(taken), filter], ([dy], [x, filter], needed) => {
      countOperations(count * needed.filter(Boolean).length);
      const weights = asActivation(filter!);
      const byInput = {
        direct: () => convolution3dInputGradient(dy!, weights, x!.shape, shared),
        dense: () => denseInputGradient(dy!, weights),
        narrow: () => narrowInputGradient(dy!, weights),
      };
      const byFilter = {
        direct: () => convolution3dFilterGradient(x!, dy!, filter!, geometry),
        spectral: () => spectralConvolutionGradients(dy!, x!, weights, [false, true])[1],
        dense: () => denseFilterGradient(x!, dy!, filter!.shape),
        narrow: () => narrowFilterGradient(x!, dy!, filter!),
      }[how.filterGradient];
      if (how.forward === 'spectral') {
        return spectralConvolutionGradients(dy!, x!, weights, [needed[0]!, needed[1]!]);
      }
      return [needed[0] ? byInput[how.forward]() : null, needed[1] ? byFilter() : null];
    });
    return y as Tensor5D;
  });
}

type Algorithm = 'direct' | 'spectral' | 'dense' | 'narrow';

/** From so many cubes on the other algorithms' set-up pays. */
const manyCubes = 64;

/**
 * Which algorithm a convolution runs by on a CPU: a large kernel over small cubes in the frequency domain; cubes of 2³
 * voxels as a matrix product; few channels by a kernel of ours; the filter gradient of cubes of 4³, where no kernel of
 * ours is there for it, in the frequency domain too. All others, and a GPU's, directly.
 */
function chosenAlgorithm(
  x: readonly number[],
  filter: readonly number[],
  { stride, padding }: Geometry,
): { readonly forward: Algorithm; readonly filterGradient: Algorithm } {
  const [count, side] = x as [number, number];
  const kernelSide = filter[0]!;
  const isCube = x[2] === side && x[3] === side;
  const keepsSize = stride === 1 && 2 * padding + 1 === kernelSide;
  if (runsOnGpu() || !keepsSize) return { forward: 'direct', filterGradient: 'direct' };
  const areManyCubes = isCube && count >= manyCubes;
  if (areManyCubes && kernelSide >= 5 && side <= 8) return { forward: 'spectral', filterGradient: 'spectral' };
  if (areManyCubes && kernelSide === 3 && side === 2) return { forward: 'dense', filterGradient: 'dense' };
  if (narrowConvolutionFits(filter)) return { forward: 'narrow', filterGradient: 'narrow' };
  if (areManyCubes && kernelSide === 3 && side === 4 && !ownFilterGradientFits()) {
    return { forward: 'direct', filterGradient: 'spectral' };
  }
  return { forward: 'direct', filterGradient: 'direct' };
}

function convolution3dInputGradient(dy: Tensor, filter: Tensor, shape: number[], shared: Attribute[]): Tensor {
  return executeConvolution('Conv3DBackpropInputV2', [...shared, shape32], [integers(shape), filter, dy]);
}

function convolution3dFilterGradient(x: Tensor, dy: Tensor, filter: Tensor, geometry: Geometry): Tensor {
  if (ownFilterGradientFits()) return ownFilterGradient(x, filter, dy, geometry.stride, geometry.padding > 0);
  const { shape } = filter;
  const shared = attributes(3, geometry, shape[0]);
  // Where the kernel is deeper than the volume, oneDNN (TensorFlow 2.21, AVX512-BF16) leaves taps of bfloat16's gradient
  // unwritten: whatever was in the memory before.
  if (shape[0] > x.shape[1]!) return executeOne('Conv3DBackpropFilterV2', shared, [x, integers(shape), dy]);
  return executeConvolution('Conv3DBackpropFilterV2', shared, [x, integers(shape), dy]);
}

/**
 * Transposed convolution of kernel 2³ and stride 2, which doubles the resolution without overlap:
 * y[n, 2p + k, o] = Σ_i x[n,p,i] · filter[k,o,i].
 *
 * @param x `[N, D, H, W, I]` @param filter `[2, 2, 2, O, I]` @returns `[N, 2D, 2H, 2W, O]`
 */
export function transposedConvolution3d(x: Tensor5D, filter: Tensor5D): Tensor5D {
  const geometry = { stride: 2, padding: 0 };
  const shared = attributes(3, geometry, 2);
  const [n, d, h, w] = x.shape;
  return tidy(() => {
    const [taken, weights] = [asActivation(x), asActivation(filter)];
    const shape = [n, 2 * d, 2 * h, 2 * w, filter.shape[3]];
    const y = roundedActivation(convolution3dInputGradient(taken, weights, shape, shared));
    const count = 2 * x.size * (filter.size / filter.shape[4]);
    countOperations(count);
    record(
      'TransposedConvolution3d',
      [x, filter],
      [y],
      [new Activation(taken), filter],
      ([dy], [x, filter], needed) => {
        countOperations(count * needed.filter(Boolean).length);
        return [
          needed[0] ? executeConvolution('Conv3D', shared, [dy!, asActivation(filter!)]) : null,
          needed[1] ? convolution3dFilterGradient(dy!, x!, filter!, geometry) : null,
        ];
      },
    );
    return y as Tensor5D;
  });
}
