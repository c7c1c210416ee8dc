import { rotateCounterClockwise } from '../../geometry/camera.js';
import { decodeImage } from '../formats/image.js';
import { cameraFromTka, type TkaCalibration } from '../formats/tka.js';
import type { SampleView } from '../types.js';
import { resizeImage, rotateImageCounterClockwise } from './floatImage.js';

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
 * @throws FormatError when the image cannot be decoded.
 */
export async function decodeView(view: EncodedView, resizeFactor: number): Promise<SampleView> {
  const camera = cameraFromTka(view.calibration, resizeFactor, view.name);
  const stored = await decodeImage(view.bytes, view.file);
  const isResized = stored.width !== camera.width || stored.height !== camera.height;
  const image = isResized ? resizeImage(stored, camera.width, camera.height) : stored;
  if (image.height <= image.width) return { camera, image: image.data };
  return { camera: rotateCounterClockwise(camera), image: rotateImageCounterClockwise(image).data };
}
