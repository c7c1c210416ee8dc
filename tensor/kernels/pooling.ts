import { attribute, execute, executeOne, float32, integers, runsOnGpu, view } from '../engine/engine.js';
import { Activation, pickedFrom } from '../engine/precision.js';
import { needsGradient, record } from '../gradients/recording.js';
import { tf, type Tensor, type Tensor4D, type Tensor5D } from '../tensorflow.js';
import { tidy } from '../engine/tidy.js';

/**
 * Max-pooling 2³ with stride 2: the largest of each cube of eight voxels. Of equal ones the gradient goes to the first
 * in row-major order, as PyTorch's does.
 *
 * Done as three maxima of neighbours, one an axis: TensorFlow's own gradient of 3-D pooling runs on one core, and takes
 * ten times as long as this on two.
 *
 * @param x `[N, D, H, W, C]` with even sides @returns `[N, D/2, H/2, W/2, C]`
 */
export function maxPool3d(x: Tensor5D): Tensor5D {
  const [n, d, h, w, c] = x.shape;
  if (d % 2 !== 0 || h % 2 !== 0 || w % 2 !== 0) {
    throw new Error(`max-pooling halves its sides, but [${x.shape.join(', ')}] has odd ones`);
  }
  const { y, choices } = tidy(() => {
    // From the innermost axis outward; each sees its axis's pairs as the middle one of three.
    const acrossWidth = largerOfPairs(x, (n * d * h * w) / 2, c);
    const acrossHeight = largerOfPairs(acrossWidth.larger, (n * d * h) / 2, (w / 2) * c);
    const acrossDepth = largerOfPairs(acrossHeight.larger, (n * d) / 2, (h / 2) * (w / 2) * c);
    return {
      y: view(acrossDepth.larger, [n, d / 2, h / 2, w / 2, c]),
      choices: [acrossDepth.first, acrossHeight.first, acrossWidth.first],
    };
  });
  pickedFrom(x, y);
  record('MaxPool3d', [x], [y], choices, ([dy], saved) => [
    saved.reduce((gradient, first) => tidy(() => spreadToPairs(view(gradient, first.shape), first)), dy!),
  ]);
  return y as Tensor5D;
}

const splitPairs = [float32, attribute.integer('num', 2), attribute.integer('axis', 1)];
const joinPairs = [float32, attribute.integer('N', 2), attribute.integer('axis', 1)];

function largerOfPairs(x: Tensor, outer: number, inner: number): { readonly larger: Tensor; readonly first: Tensor } {
  return tidy(() => {
    const [a, b] = execute('Unpack', splitPairs, [view(x, [outer, 2, inner])], 2);
    const larger = executeOne('Maximum', [float32], [a!, b!]);
    return { larger, first: executeOne('GreaterEqual', [float32], [a!, b!]) };
  });
}

/** The gradient of each pair's maximum goes to its first element where `first` says so, to its second elsewhere. */
function spreadToPairs(gradient: Tensor, first: Tensor): Tensor {
  const zero = tf.scalar(0);
  const toFirst = executeOne('SelectV2', [float32], [first, gradient, zero]);
  const toSecond = executeOne('SelectV2', [float32], [first, zero, gradient]);
  return executeOne('Pack', joinPairs, [toFirst, toSecond]);
}

const window = [attribute.integers('ksize', [1, 3, 3, 1]), attribute.integers('strides', [1, 2, 2, 1])];
const padByOne = [0, 0, 1, 1, 1, 1, 0, 0];
const padTyped = [float32, attribute.int32('Tpaddings')];
const sliceTyped = [float32, attribute.int32('Index')];
const gpuPool = [
  float32,
  ...window,
  attribute.text('padding', 'EXPLICIT'),
  attribute.integers('explicit_paddings', padByOne),
  attribute.text('data_format', 'NHWC'),
];
const plainPool = [float32, ...window, attribute.text('padding', 'VALID'), attribute.text('data_format', 'NHWC')];
const argmaxPool = [
  float32,
  ...window,
  attribute.text('padding', 'VALID'),
  attribute.flag('include_batch_in_index', true),
];

/**
 * Max-pooling 3×3 with stride 2 and a padding of one (the ResNet stem's).
 *
 * @param x not negative (what a ReLU returns), so that padding by zeros is as good as by −∞. `[N, H, W, C]`
 * @returns `[N, ⌈H/2⌉, ⌈W/2⌉, C]`
 */
export function maxPool2d(x: Tensor4D): Tensor4D {
  if (runsOnGpu()) {
    const y = executeOne('MaxPool', gpuPool, [x]);
    pickedFrom(x, y);
    record('MaxPool2d', [x], [y], [new Activation(x), new Activation(y)], ([dy], [x, y]) => [
      executeOne('MaxPoolGrad', gpuPool, [x!, y!, dy!]),
    ]);
    return y as Tensor4D;
  }
  const pad = (x: Tensor): Tensor => executeOne('Pad', padTyped, [x, integers(padByOne, [4, 2])]);
  if (!needsGradient(x))
    return pickedFrom(
      x,
      tidy(() => executeOne('MaxPool', plainPool, [pad(x)])),
    ) as Tensor4D;
  // On a CPU the gradient by remembered positions is 15 times as fast; it takes them as int64, and the forward
  // operation finds them fast as int32 only.
  const [y, position] = tidy(() =>
    execute('MaxPoolWithArgmax', [...argmaxPool, attribute.int32('Targmax')], [pad(x)], 2),
  );
  const { shape } = x;
  pickedFrom(x, y!);
  record('MaxPool2d', [x], [y!], [new Activation(x), position!], ([dy], [x, position]) => {
    const wide = executeOne('Cast', [attribute.int32('SrcT'), attribute.int64('DstT')], [position!]);
    const inputs = [pad(x!), dy!, wide];
    const gradient = executeOne('MaxPoolGradWithArgmax', [...argmaxPool, attribute.int64('Targmax')], inputs);
    return [executeOne('Slice', sliceTyped, [gradient, integers([0, 1, 1, 0]), integers(shape)])];
  });
  return y as Tensor4D;
}
