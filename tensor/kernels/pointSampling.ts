import { attribute, execute, executeOne, view } from '../engine/engine.js';
import { vectorsInUse } from '../engine/ownKernels.js';
import { reshape } from '../gradients/gradients.js';
import { needsGradient, record } from '../gradients/recording.js';
import { tf, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '../tensorflow.js';
import { sampleBilinear } from './bilinearSampling.js';

/**
 * Samples framed images bilinearly, each at points of its own, with zeros beyond; differentiable by images and points. On
 * processors by a kernel of our own (infra/setup/binding/point_sampling.cc), which takes a third of the time.
 *
 * @param framed see `frameByZeros`. `[M, H + 2, W + 2, C]`
 * @param y @param x coordinates as `sampleBilinear` has them. `[M, P]`
 * @returns `[M, P, C]`
 * @throws Error for coordinates that are not finite, on processors.
 */
export function samplePoints(framed: Tensor4D, y: Tensor2D, x: Tensor2D): Tensor3D {
  return vectorsInUse() === 'none' ? sampledAsBoxes(framed, y, x) : sampledByOwnKernel(framed, y, x);
}

function sampledByOwnKernel(framed: Tensor4D, y: Tensor2D, x: Tensor2D): Tensor3D {
  const sampled = executeOne('TempehSample', [], [framed, y, x]);
  const { shape } = framed;
  const size = [attribute.integer('height', shape[1]), attribute.integer('width', shape[2])];
  // The images' values matter for the gradient by coordinates only.
  const images = needsGradient(y) || needsGradient(x) ? [framed] : [];
  record('SamplePoints', [framed, y, x], [sampled], [y, x, ...images], ([dsampled], saved, needed) => {
    const [y, x, framed] = saved as [Tensor, Tensor, Tensor | undefined];
    const [dy, dx] = framed ? execute('TempehSamplePointGrad', [], [dsampled!, framed, y, x], 2) : [null, null];
    const byImages = (): Tensor => view(executeOne('TempehSampleImageGrad', size, [dsampled!, y, x]), shape);
    return [needed[0] ? byImages() : null, dy!, dx!];
  });
  return sampled as Tensor3D;
}

function sampledAsBoxes(framed: Tensor4D, y: Tensor2D, x: Tensor2D): Tensor3D {
  const [images, points] = y.shape;
  const boxes = reshape<Tensor2D>(tf.stack([y, x, y, x], 2), [-1, 4]);
  return reshape(sampleBilinear(framed, boxes, imageIndices(images, points)), [images, points, framed.shape[3]]);
}

let lastIndices: { readonly images: number; readonly points: number; readonly tensor: Tensor } | undefined;

/** 0 … 0 1 … 1 …, each `points` times, int32; the last one asked for is kept. `[images · points]` */
function imageIndices(images: number, points: number): Tensor {
  if (lastIndices?.images !== images || lastIndices.points !== points) {
    lastIndices?.tensor.dispose();
    const indices = new Int32Array(images * points);
    for (let image = 1; image < images; image++) indices.fill(image, image * points, (image + 1) * points);
    lastIndices = { images, points, tensor: tf.keep(tf.tensor1d(indices, 'int32')) };
  }
  return lastIndices.tensor;
}
