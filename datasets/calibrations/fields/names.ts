import { FormatError, quoted } from '../../formats/formatError.js';
import type { CalibrationDefaults } from '../options.js';

/** Whether a file can be called so. */
export function isCameraName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name);
}

/**
 * The name of a camera that a file knows by one of its images (or a label): the file's name without folders and ending, of
 * SEQUENCE.FRAME.CAMERA the last part; or what the pattern's first group says.
 *
 * @throws FormatError if it is no name
 */
export function cameraOfImage(image: string, file: string, where: string, { cameraName }: CalibrationDefaults): string {
  const path = image.replaceAll('\\', '/');
  const base = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.(?:png|jpe?g|tiff?|bmp|exr|webp|dng|cr2|nef|arw)$/i, '');
  const name = cameraName ? cameraName.exec(path)?.[1] : base.slice(base.lastIndexOf('.') + 1);
  if (name !== undefined && isCameraName(name)) return name;
  const expected = cameraName
    ? `an image in which --camera-name ${cameraName.source} finds a name of letters, digits, dashes and underscores`
    : "an image that is called as its camera, with letters, digits, dashes and underscores (or --camera-name PATTERN, whose first group is the camera's name)";
  throw new FormatError({ file, where, expected, found: quoted(image) });
}
