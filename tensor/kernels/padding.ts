import { attribute, executeOne, float32, integers } from '../engine/engine.js';
import { record } from '../gradients/recording.js';
import type { Tensor4D } from '../tensorflow.js';

const padTyped = [float32, attribute.int32('Tpaddings')];
const sliceTyped = [float32, attribute.int32('Index')];

/** Puts a frame of zero pixels around each image. `[M, H, W, C]` → `[M, H + 2·width, W + 2·width, C]` */
export function frameByZeros(images: Tensor4D, width = 1): Tensor4D {
  const paddings = integers([0, 0, width, width, width, width, 0, 0], [4, 2]);
  const framed = executeOne('Pad', padTyped, [images, paddings]);
  const { shape } = images;
  record('FrameByZeros', [images], [framed], [], ([dy]) => [
    executeOne('Slice', sliceTyped, [dy!, integers([0, width, width, 0]), integers(shape)]),
  ]);
  return framed as Tensor4D;
}
