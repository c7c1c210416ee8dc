import type { AugmentationConfiguration } from '../../configs/schema/training.js';
import { scaleIntrinsics, shiftIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import type { CounterRandom } from '../../geometry/random.js';
import { resizeImage, type FloatImage, type PixelImage } from './floatImage.js';

/** What is drawn for one view. */
export interface Augmentation {
  readonly scale: number;
  /** Factor of each channel. */
  readonly brightness: readonly [number, number, number];
}

/** Draws scale ~ U and brightness 1 + σ N(0, 1) a channel (method 1). */
export function drawAugmentation(settings: AugmentationConfiguration, random: CounterRandom): Augmentation {
  const [least, largest] = settings.scale;
  const scale = least + (largest - least) * random.uniform();
  const factor = (): number => 1 + settings.brightnessSigma * random.gaussian();
  return { scale, brightness: [factor(), factor(), factor()] };
}

/**
 * An augmented view of the same size: scaled with anti-aliasing, cropped at the top left where it is larger (the
 * published crop's offset is always 0), padded with black in the middle where it is smaller; brightness by channel,
 * clipped to [0, 1]. The intrinsics follow.
 */
export function augmentView(
  image: PixelImage,
  camera: Camera,
  { scale, brightness }: Augmentation,
): { readonly image: FloatImage; readonly camera: Camera } {
  const { width, height } = image;
  const scaled = resizeImage(image, Math.round(scale * width), Math.round(scale * height));
  const left = Math.max(0, Math.floor((width - scaled.width) / 2));
  const top = Math.max(0, Math.floor((height - scaled.height) / 2));
  const columns = Math.min(width, scaled.width);
  const rows = Math.min(height, scaled.height);
  const data = new Float32Array(width * height * 3);
  const [red, green, blue] = brightness;
  const source = scaled.data;
  for (let row = 0; row < rows; row++) {
    const from = row * scaled.width * 3;
    const to = ((top + row) * width + left) * 3;
    for (let k = 0; k < columns * 3; k += 3) {
      data[to + k] = clipped(source[from + k]! * red);
      data[to + k + 1] = clipped(source[from + k + 1]! * green);
      data[to + k + 2] = clipped(source[from + k + 2]! * blue);
    }
  }
  const intrinsics = shiftIntrinsics(scaleIntrinsics(camera.intrinsics, scale), left, top);
  return { image: { width, height, data }, camera: { ...camera, intrinsics } };
}

function clipped(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
