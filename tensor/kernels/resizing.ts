import { attribute, executeOne, float32, integers } from '../engine/engine.js';
import { record } from '../gradients/recording.js';
import type { Tensor4D } from '../tensorflow.js';

const attributes = [float32, attribute.flag('align_corners', false), attribute.flag('half_pixel_centers', false)];

/**
 * Nearest-neighbour resizing: output pixel i shows input pixel ⌊i · in / out⌋, on both axes.
 *
 * @param x `[N, H, W, C]` @returns `[N, height, width, C]`; x itself where the size is the same.
 */
export function resizeNearest(x: Tensor4D, height: number, width: number): Tensor4D {
  const [, h, w] = x.shape;
  if (h === height && w === width) return x;
  const y = executeOne('ResizeNearestNeighbor', attributes, [x, integers([height, width])]);
  record('ResizeNearest', [x], [y], [], ([dy]) => [
    executeOne('ResizeNearestNeighborGrad', attributes, [dy!, integers([h, w])]),
  ]);
  return y as Tensor4D;
}
