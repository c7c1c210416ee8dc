import type { Pixels } from '../types.js';
import { coloursOf } from './floatImage.js';

/** ImageNet's statistics of colours in [0, 1], by channel (method 1). */
export const mean = [0.485, 0.456, 0.406] as const;
/** Standard deviation of each colour channel over ImageNet, of values in [0, 1]. */
export const deviation = [0.229, 0.224, 0.225] as const;

/** Writes ImageNet-normalised colours into `target` from `offset` on. `pixels`: `[H, W, 3]`. */
export function writeNormalised(pixels: Pixels, target: Float32Array, offset: number): void {
  const [red, green, blue] = mean;
  const [ofRed, ofGreen, ofBlue] = deviation;
  const colours = coloursOf(pixels);
  for (let i = 0, to = offset; i < colours.length; i += 3, to += 3) {
    target[to] = (colours[i]! - red) / ofRed;
    target[to + 1] = (colours[i + 1]! - green) / ofGreen;
    target[to + 2] = (colours[i + 2]! - blue) / ofBlue;
  }
}
