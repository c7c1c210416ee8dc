import { FormatError } from '../formats/formatError.js';
import type { OpencvCamera } from './opencvCamera.js';

/** mm and radians: what rounding may make of one pose written twice. */
const sameTranslation = 1e-3;
const sameRotation = 1e-6;

/** A camera by one of its images. */
export interface CameraOfImage {
  readonly camera: OpencvCamera;
  readonly image: string;
}

/**
 * One camera of each name. Images of one camera have to have one pose: a calibration holds for a whole sequence.
 *
 * @throws FormatError
 */
export function oneOfEach(cameras: readonly CameraOfImage[], file: string): OpencvCamera[] {
  const first = new Map<string, CameraOfImage>();
  for (const other of cameras) {
    const { name } = other.camera;
    const known = first.get(name);
    if (!known) {
      first.set(name, other);
      continue;
    }
    const difference = differenceOf(known.camera, other.camera);
    if (difference === null) continue;
    throw new FormatError({
      file,
      where: `camera ${name}`,
      expected:
        'one pose and one lens a camera: a model of one moment, or of a rig that stands still; ' +
        'if these are two cameras, --camera-name PATTERN takes their names from the path (its first group)',
      found: `${difference} between ${known.image} and ${other.image}`,
    });
  }
  return [...first.values()].map(({ camera }) => camera);
}

function differenceOf(one: OpencvCamera, other: OpencvCamera): string | null {
  const opticsOf = ({ imageSize, focal, principalPoint, distortion, further }: OpencvCamera): string =>
    JSON.stringify([imageSize, focal, principalPoint, [...distortion], further]);
  if (opticsOf(one) !== opticsOf(other)) return 'another lens or image size';
  const moved = Math.hypot(...one.translation.map((value, i) => value - other.translation[i]!));
  const turned = Math.hypot(...one.rotation.map((value, i) => value - other.rotation[i]!));
  if (moved <= sameTranslation && turned <= sameRotation) return null;
  return `${moved.toPrecision(3)} mm in the translation and ${((turned * 180) / Math.PI).toPrecision(3)}° in the rotation`;
}
