import { multiply3x3, projectPoints } from '../../geometry/cameras/camera.js';
import { fitForwardDistortion } from '../../geometry/cameras/distortion.js';
import { levenbergMarquardt } from '../../geometry/levenbergMarquardt.js';
import { rotationAboutAxis } from '../../geometry/rotation.js';
import { cameraFromTka, formatTka, parseTka, type TkaCalibration } from '../formats/tka.js';
import { directionOfPixel, projectDirection, type OpencvCamera } from './opencvCamera.js';

/** A camera as the reader takes it, and what was lost on the way. */
export interface ConvertedCalibration {
  readonly camera: OpencvCamera;
  /** The `.tka` file's text. */
  readonly tka: string;
  readonly residual: Residual;
  /** Terms of OpenCV's lens model that a radial k1, k2 had to stand in for. */
  readonly approximated: readonly string[];
}

/** Distance between where a lens puts a point and where the reader does, px of the full resolution. */
export interface Residual {
  readonly max: number;
  readonly rms: number;
  /** Where it is largest, px. */
  readonly at: readonly [number, number];
  /** Over the image, from corner to corner: rows from the top, each from the left. `[5][6]` */
  readonly grid: readonly (readonly number[])[];
}

/** Thrown when a lens cannot be written down: its distortion folds the picture. */
export class LensUnusable extends Error {
  override readonly name = 'LensUnusable';
}

const terms = ['k1', 'k2', 'p1', 'p2', 'k3', 'k4', 'k5', 'k6', 's1', 's2', 's3', 's4'] as const;
/** The image is compared at so many places, borders included. */
const columns = 21;
const rows = 17;
/** Every fourth of them is reported. */
const told = 4;
/** mm; a `.tka` has focal length and pixel size in millimetres, of which only the quotient is used. */
const nominalPixel = 0.005;

/**
 * Writes an OpenCV camera as a `.tka` file. Focal lengths, principal point, pose and the radial terms k1, k2 are kept as
 * they are. What the reader's lens does not have (tangential, thin-prism and higher radial terms) is approximated, by
 * those k1, k2, focal lengths, principal point and small turn of the camera about its centre that come closest over the
 * image; the residual says how close.
 *
 * @throws LensUnusable
 */
export function convertCalibration(camera: OpencvCamera): ConvertedCalibration {
  const approximated = [...terms.filter((_, i) => i >= 2 && camera.distortion[i] !== 0), ...furtherTerms(camera)];
  const samples = imageSamples(camera);
  const lens = approximated.length === 0 ? exactLens(camera) : fittedLens(camera, samples);
  const tka = formatTka(calibrationOf(camera, lens), 'exact');
  return { camera, tka, residual: residualOf(camera, tka, samples), approximated };
}

/** By Metashape's names. */
function furtherTerms({ further }: OpencvCamera): string[] {
  if (!further) return [];
  const values = { K4: further.r8, P3: further.growth[0], P4: further.growth[1], B2: further.shear };
  return Object.entries(values).flatMap(([name, value]) => (value === 0 ? [] : [name]));
}

/** Pixels and the directions (x, y, 1) that they see. */
interface Samples {
  /** `[N, 2]` */
  readonly pixels: Float64Array;
  /** `[N, 2]` */
  readonly directions: Float64Array;
}

function imageSamples(camera: OpencvCamera): Samples {
  const [width, height] = camera.imageSize;
  const pixels = new Float64Array(2 * rows * columns);
  const directions = new Float64Array(pixels.length);
  for (let i = 0; i < rows * columns; i++) {
    const u = ((i % columns) / (columns - 1)) * width;
    const v = (Math.floor(i / columns) / (rows - 1)) * height;
    const direction = directionOfPixel(camera, u, v);
    if (!direction) {
      throw new LensUnusable(
        `Camera ${camera.name}: no direction is seen at pixel (${u.toFixed(0)}, ${v.toFixed(0)}) of its ` +
          `${width}×${height} image, for its distortion folds the picture before it gets there. ` +
          'Calibrate with fewer coefficients or with points near the borders, or undistort and crop the images.',
      );
    }
    pixels.set([u, v], 2 * i);
    directions.set(direction, 2 * i);
  }
  return { pixels, directions };
}

/** What the reader's cameras have. */
interface Lens {
  readonly focal: readonly [number, number];
  readonly principalPoint: readonly [number, number];
  /** k1, k2: undistorted to distorted. */
  readonly radial: readonly [number, number];
  /** Rotation of the camera about its x and y axis, radians. */
  readonly turn: readonly [number, number];
}

function exactLens({ focal, principalPoint, distortion }: OpencvCamera): Lens {
  return { focal, principalPoint, radial: [distortion[0]!, distortion[1]!], turn: [0, 0] };
}

function fittedLens(camera: OpencvCamera, { pixels, directions }: Samples): Lens {
  const start = exactLens(camera);
  const residuals = (parameters: Float64Array): Float64Array => {
    const lens = lensOf(parameters);
    const turn = turnMatrix(lens.turn);
    const distortion = Float64Array.of(...lens.radial, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const result = new Float64Array(pixels.length);
    for (let i = 0; i < pixels.length; i += 2) {
      const [x, y] = [directions[i]!, directions[i + 1]!];
      const depth = turn[6]! * x + turn[7]! * y + turn[8]!;
      const [u, v] = projectDirection(
        { ...lens, distortion },
        (turn[0]! * x + turn[1]! * y + turn[2]!) / depth,
        (turn[3]! * x + turn[4]! * y + turn[5]!) / depth,
      );
      result[i] = u - pixels[i]!;
      result[i + 1] = v - pixels[i + 1]!;
    }
    return result;
  };
  const parameters = Float64Array.of(...start.radial, ...start.focal, ...start.principalPoint, ...start.turn);
  const scales = Float64Array.of(1e-5, 1e-5, 1e-2, 1e-2, 1e-2, 1e-2, 1e-6, 1e-6);
  return lensOf(levenbergMarquardt(residuals, parameters, scales).parameters);
}

function lensOf(parameters: Float64Array): Lens {
  const pair = (at: number): [number, number] => [parameters[at]!, parameters[at + 1]!];
  return { radial: pair(0), focal: pair(2), principalPoint: pair(4), turn: pair(6) };
}

function turnMatrix([aboutX, aboutY]: readonly [number, number]): Float64Array {
  return multiply3x3(rotationAboutAxis([1, 0, 0], aboutX), rotationAboutAxis([0, 1, 0], aboutY));
}

function calibrationOf({ rotation: r, translation: t, imageSize }: OpencvCamera, lens: Lens): TkaCalibration {
  const focalLength = lens.focal[0] * nominalPixel;
  const [k1, k2] = lens.radial;
  // Tsai's undistortion, for other programs: the same fit the other way round, from the middle to the corners.
  const [width, height] = [imageSize[0] / 2, imageSize[1] / 2];
  const [focalX, focalY] = lens.focal;
  const inward = fitForwardDistortion({ k: k1, k2, focalLength: 1, width, height, focalX, focalY });
  const centre = (column: number): number => -(r[column]! * t[0] + r[3 + column]! * t[1] + r[6 + column]! * t[2]);
  return {
    rotation: multiply3x3(turnMatrix(lens.turn), r),
    centre: [centre(0), centre(1), centre(2)],
    focalLength,
    undistortion: [inward[0] / focalLength ** 2, inward[1] / focalLength ** 4],
    skew: 0,
    pixelSize: [nominalPixel, focalLength / lens.focal[1]],
    principalPoint: lens.principalPoint,
    imageSize,
    forwardDistortion: lens.radial,
  };
}

/** By the reader itself, out of the text that it will read: points a metre before the camera. */
function residualOf(camera: OpencvCamera, tka: string, { pixels, directions }: Samples): Residual {
  const read = cameraFromTka(parseTka(tka, camera.name), 1, camera.name);
  const { rotation: r, translation: t } = camera;
  const points = new Float64Array((directions.length / 2) * 3);
  for (let i = 0; i < directions.length / 2; i++) {
    const inCamera = [1000 * directions[2 * i]! - t[0], 1000 * directions[2 * i + 1]! - t[1], 1000 - t[2]] as const;
    for (let axis = 0; axis < 3; axis++) {
      points[3 * i + axis] = r[axis]! * inCamera[0] + r[3 + axis]! * inCamera[1] + r[6 + axis]! * inCamera[2];
    }
  }
  const projected = projectPoints(read, points);
  const distances = Float64Array.from({ length: rows * columns }, (_, i) =>
    Math.hypot(projected[3 * i]! - pixels[2 * i]!, projected[3 * i + 1]! - pixels[2 * i + 1]!),
  );
  const max = Math.max(...distances);
  const largest = distances.indexOf(max);
  const grid = Array.from({ length: (rows - 1) / told + 1 }, (_, row) =>
    Array.from({ length: (columns - 1) / told + 1 }, (_, column) => distances[told * (row * columns + column)]!),
  );
  const rms = Math.sqrt(distances.reduce((sum, distance) => sum + distance ** 2, 0) / distances.length);
  return { max, rms, at: [pixels[2 * largest]!, pixels[2 * largest + 1]!], grid };
}
