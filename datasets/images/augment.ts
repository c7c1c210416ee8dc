import type { AugmentationConfiguration } from '../../configs/schema/training.js';
import { scaleIntrinsics, shiftIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import type { CounterRandom } from '../../geometry/random.js';
import { resizeImage, ResizedMemory, type PixelImage } from './floatImage.js';

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

const scaledMemory = new ResizedMemory();

/**
 * Writes an augmented view of the same size: scaled with anti-aliasing, cropped at the top left where it is larger (the
 * published crop's offset is always 0), padded with black in the middle where it is smaller; brightness by channel,
 * clipped to [0, 1].
 *
 * @param target all of it is written over. `[H, W, 3]`
 */
export function writeAugmented(image: PixelImage, { scale, brightness }: Augmentation, target: Float32Array): void {
  const { width, height } = image;
  const { scaledWidth, scaledHeight, left, top } = placement(image, scale);
  const source = resizeImage(image, scaledWidth, scaledHeight, scaledMemory).data;
  const columns = Math.min(width, scaledWidth);
  const rows = Math.min(height, scaledHeight);
  const [red, green, blue] = brightness;
  if (columns < width || rows < height) target.fill(0);
  for (let row = 0; row < rows; row++) {
    const from = row * scaledWidth * 3;
    const to = ((top + row) * width + left) * 3;
    for (let k = 0; k < columns * 3; k += 3) {
      target[to + k] = clipped(source[from + k]! * red);
      target[to + k + 1] = clipped(source[from + k + 1]! * green);
      target[to + k + 2] = clipped(source[from + k + 2]! * blue);
    }
  }
}

/** The camera of a view that is scaled so: the intrinsics follow. */
export function augmentedCamera(camera: Camera, { scale }: Augmentation): Camera {
  const { left, top } = placement(camera, scale);
  return { ...camera, intrinsics: shiftIntrinsics(scaleIntrinsics(camera.intrinsics, scale), left, top) };
}

/** The size of a scaled image, and where it begins in one of its size before, px. */
function placement({ width, height }: { readonly width: number; readonly height: number }, scale: number) {
  const [scaledWidth, scaledHeight] = [Math.round(scale * width), Math.round(scale * height)];
  const left = Math.max(0, Math.floor((width - scaledWidth) / 2));
  const top = Math.max(0, Math.floor((height - scaledHeight) / 2));
  return { scaledWidth, scaledHeight, left, top };
}

function clipped(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
