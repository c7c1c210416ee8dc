import { imageSize } from '../formats/images/image.js';
import type { EncodedView } from '../images/decodeView.js';
import type { RigFinding } from './types.js';

/** Pixels that rounding may make of a difference. */
const tolerance = 2;

/**
 * Whether images have the size that their calibrations speak of, at the fraction at which they are stored.
 *
 * @throws FormatError of an image that is none
 */
export async function imageFindings(views: readonly EncodedView[], storedResizeFactor: number): Promise<RigFinding[]> {
  const found = await Promise.all(
    views.map(async (view): Promise<RigFinding | null> => {
      const size = await imageSize(view.bytes, view.file);
      return sizeFinding(view, size, storedResizeFactor);
    }),
  );
  return found.filter((finding) => finding !== null);
}

function sizeFinding(
  { name, calibration, file }: EncodedView,
  { width, height }: { width: number; height: number },
  storedResizeFactor: number,
): RigFinding | null {
  const [fullWidth, fullHeight] = calibration.imageSize;
  const [expectedWidth, expectedHeight] = [fullWidth / storedResizeFactor, fullHeight / storedResizeFactor];
  const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= tolerance;
  if (isNear(width, expectedWidth) && isNear(height, expectedHeight)) return null;
  const base = {
    camera: name,
    found: `images of ${width}×${height} pixels (${file})`,
    expected: `${Math.floor(expectedWidth)}×${Math.floor(expectedHeight)}: the calibration's ${fullWidth}×${fullHeight} at 1/${storedResizeFactor}`,
  };
  const factor = fullWidth / width;
  if (isNear(height * factor, fullHeight)) {
    const advice = `They are resized when they are read. If all are stored so, set dataset.storedResizeFactor: ${Number(factor.toFixed(3))}.`;
    return { ...base, severity: 'warning', advice };
  }
  const isTurned = isNear((width * fullWidth) / fullHeight, height);
  const advice = isTurned
    ? 'Images and calibration are turned by 90° to each other: store the images as the camera delivered them, unturned.'
    : 'They have another shape: a crop needs a calibration of its own (shift the principal point by its offset, and state its size).';
  return { ...base, severity: 'error', advice };
}
