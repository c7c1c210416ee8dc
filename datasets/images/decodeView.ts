import { rotateCounterClockwise } from '../../geometry/cameras/camera.js';
import { FormatError } from '../formats/formatError.js';
import { decodeImage } from '../formats/images/image.js';
import { cameraFromTka, type TkaCalibration } from '../formats/tka.js';
import type { SampleView } from '../types.js';
import { resizeImage, rotateImageCounterClockwise } from './floatImage.js';

/** Pixels of an image, for each of those that the calibration speaks of, and the other way round. */
const largestRatio = 16;
/** Pixels. Below it, what a calibration says of the size does no harm. */
const smallImage = 1 << 22;

/** A view as it is stored: image file, calibration, name. */
export interface EncodedView {
  /** The calibration file's stem. */
  readonly name: string;
  /** The image file, whole. */
  readonly bytes: Uint8Array;
  /** Its path or key, for error messages. */
  readonly file: string;
  readonly calibration: TkaCalibration;
}

/**
 * A view as the networks see it (method 1): the image resized with anti-aliasing to the calibration's size divided
 * by `resizeFactor`, portrait views turned to landscape, the camera likewise.
 *
 * @throws FormatError when the image cannot be decoded, or its size and the calibration's have nothing to do with each other.
 */
export async function decodeView(view: EncodedView, resizeFactor: number): Promise<SampleView> {
  const camera = cameraFromTka(view.calibration, resizeFactor, view.name);
  const [fullWidth, fullHeight] = view.calibration.imageSize;
  const { width, height } = camera;
  const stored = await decodeImage(view.bytes, view.file, Math.max(smallImage, largestRatio * fullWidth * fullHeight));
  const isOdd = width * height > Math.max(smallImage, largestRatio * stored.width * stored.height);
  if (width < 1 || height < 1 || isOdd) {
    throw new FormatError({
      file: view.file,
      expected: `an image that can be resized to the calibration's ${fullWidth} × ${fullHeight} at 1/${resizeFactor}`,
      found: `${stored.width} × ${stored.height}`,
    });
  }
  const isResized = stored.width !== camera.width || stored.height !== camera.height;
  const image = isResized ? resizeImage(stored, camera.width, camera.height) : stored;
  if (image.height <= image.width) return { camera, image: image.data };
  return { camera: rotateCounterClockwise(camera), image: rotateImageCounterClockwise(image).data };
}
