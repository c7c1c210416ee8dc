import { attribute, executeOne, float32, integers, view } from '../engine/engine.js';
import { needsGradient, record } from '../gradients/recording.js';
import type { Tensor, Tensor2D, Tensor4D } from '../tensorflow.js';

/**
 * Bilinear sampling of images at arbitrary points by TensorFlow's `CropAndResize` with boxes of a single pixel: one
 * fused operation, with gradients to images and coordinates.
 *
 * It extrapolates by zero only where a point is outside of the pixel centres altogether; a frame of one zero pixel
 * around the image makes it fade to zero over the last pixel, as zero padding does in PyTorch's `grid_sample`.
 *
 * Legend: M images, H W pixels of an unpadded image, C channels, P points.
 */

const bilinear = [float32, attribute.text('method', 'bilinear')];
const bilinearForward = [...bilinear, attribute.number('extrapolation_value', 0)];

/**
 * Samples framed images.
 *
 * @param framed see `frameByZeros`. `[M, H + 2, W + 2, C]`
 * @param boxes rows (y, x, y, x), the sampled point twice: fractions of the way from the framed image's first pixel
 *   centre (0) to its last (1). Pixel p of the unframed image (first centre at 0) is at (p + 1) / (H + 1). `[P, 4]`
 * @param imageOfBox which image each box samples, int32. `[P]`
 * @returns `[P, C]`
 */
export function sampleBilinear(framed: Tensor4D, boxes: Tensor2D, imageOfBox: Tensor): Tensor2D {
  const crops = executeOne('CropAndResize', bilinearForward, [framed, boxes, imageOfBox, integers([1, 1])]);
  const y = view(crops, [boxes.shape[0], framed.shape[3]]);
  // The image's values matter for the gradient by coordinates only.
  const images = needsGradient(boxes) ? [framed] : [];
  const { shape } = framed;
  record('SampleBilinear', [framed, boxes], [y], [boxes, imageOfBox, ...images], ([dy], saved, needed) => {
    const [boxes, imageOfBox, framed] = saved;
    const gradient = view(dy!, [dy!.shape[0], 1, 1, shape[3]]);
    return [
      needed[0]
        ? executeOne('CropAndResizeGradImage', bilinear, [gradient, boxes!, imageOfBox!, integers(shape)])
        : null,
      needed[1] && framed
        ? executeOne('CropAndResizeGradBoxes', bilinear, [gradient, framed, boxes!, imageOfBox!])
        : null,
    ];
  });
  return y as Tensor2D;
}
