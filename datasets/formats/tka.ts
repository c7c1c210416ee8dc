import type { Camera } from '../../geometry/cameras/camera.js';
import { fitForwardDistortion } from '../../geometry/cameras/distortion.js';
import { FormatError, linesOf, quoted } from './formatError.js';
import { rotationProblem } from './rotationProblem.js';

/**
 * A camera as a FaMoS calibration file (`.tka`) states it (method 1): a Tsai camera at the sensor's full
 * resolution, in millimetres and pixels.
 */
export interface TkaCalibration {
  /** World to camera, row by row, `[3 * 3]`. */
  readonly rotation: Float64Array;
  /** Camera centre in the world, mm. */
  readonly centre: readonly [number, number, number];
  /** mm. */
  readonly focalLength: number;
  /** Tsai's radial undistortion: `K` in 1/mm², `K2` in 1/mm⁴. */
  readonly undistortion: readonly [number, number];
  readonly skew: number;
  /** Effective size of a pixel, `[x, y]`, mm. */
  readonly pixelSize: readonly [number, number];
  /** `[a, b]`, px. */
  readonly principalPoint: readonly [number, number];
  /** `[width, height]`, px. */
  readonly imageSize: readonly [number, number];
  /**
   * Our own line `D = k1 k2`, behind the published ones: the radial distortion as OpenCV has it (undistorted to distorted),
   * the same at every resize factor. Where it stands, `K` and `K2` are for other programs.
   */
  readonly forwardDistortion?: readonly [number, number];
}

/** A hundred times what such a file has. */
const largestFile = 1 << 16;

type Key = 'X' | 'Y' | 'Z' | 'f' | 'K' | 'K2' | 'S' | 'x' | 'y' | 'a' | 'b' | 'is' | 'D';

/**
 * Reads a `.tka` file: a header line, three rows of the rotation, then `key = value` lines, spaced or not, in any order.
 * @param text the whole file; byte order mark and any line ends are accepted
 * @param file its path, for error messages
 * @throws FormatError naming file and line
 */
export function parseTka(text: string, file: string): TkaCalibration {
  if (text.length > largestFile) {
    throw new FormatError({ file, expected: `at most ${largestFile} characters`, found: `${text.length}` });
  }
  const lines = linesOf(text);
  const rotation = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    const values = numbersOf(lines[row + 1] ?? '', 3, `row ${row + 1} of the rotation, three numbers`, file, row + 2);
    rotation.set(values, row * 3);
  }
  checkRotation(rotation, file);
  const values = new Map<string, { text: string; line: number }>();
  lines.slice(4).forEach((line, index) => {
    const equals = line.indexOf('=');
    const [key, value] = [line.slice(0, Math.max(0, equals)).trim(), line.slice(equals + 1).trim()];
    if (!/^[A-Za-z]\w*$/.test(key)) {
      if (line.trim() === '') return;
      throw new FormatError({ file, where: `line ${index + 5}`, expected: '"key = value"', found: quoted(line) });
    }
    if (values.has(key)) {
      throw new FormatError({ file, where: `line ${index + 5}`, expected: `"${key}" once`, found: 'it again' });
    }
    values.set(key, { text: value, line: index + 5 });
  });
  const numbers = (key: Key, count: number): number[] => {
    const entry = values.get(key);
    if (!entry) {
      throw new FormatError({
        file,
        expected: `a line "${key} = …"`,
        found: `only ${[...values.keys()].slice(0, 30).join(', ') || 'no such lines'}`,
      });
    }
    return numbersOf(
      entry.text,
      count,
      `"${key}" with ${count === 1 ? 'a number' : `${count} numbers`}`,
      file,
      entry.line,
    );
  };
  const one = (key: Key): number => numbers(key, 1)[0]!;
  const positive = (key: Key): number => {
    const value = one(key);
    if (value > 0) return value;
    throw new FormatError({
      file,
      where: `line ${values.get(key)!.line}`,
      expected: `"${key}" above 0`,
      found: `${value}`,
    });
  };
  const imageSize = numbers('is', 2);
  if (!imageSize.every((side) => Number.isInteger(side) && side > 0 && side <= 65_535)) {
    throw new FormatError({
      file,
      where: `line ${values.get('is')!.line}`,
      expected: '"is" with width and height in whole pixels, 1 to 65535',
      found: imageSize.join(' '),
    });
  }
  const calibration: TkaCalibration = {
    rotation,
    centre: [one('X'), one('Y'), one('Z')],
    focalLength: positive('f'),
    undistortion: [one('K'), one('K2')],
    skew: one('S'),
    pixelSize: [positive('x'), positive('y')],
    principalPoint: [one('a'), one('b')],
    imageSize: [imageSize[0]!, imageSize[1]!],
    ...(values.has('D') && { forwardDistortion: numbers('D', 2) as [number, number] }),
  };
  requireFinite(calibration, file);
  return calibration;
}

/** Numbers that are finite by themselves may still make a camera that sees nothing. */
function requireFinite(calibration: TkaCalibration, file: string): void {
  const { intrinsics, extrinsics, distortion } = cameraFromTka(calibration, 1, file);
  if ([...intrinsics, ...extrinsics, ...distortion].every(Number.isFinite)) return;
  const [k, k2] = calibration.undistortion;
  throw new FormatError({
    file,
    expected: 'numbers that make a camera',
    found: `K ${k}, K2 ${k2}, f ${calibration.focalLength} mm, pixels of ${calibration.pixelSize.join(' × ')} mm`,
  });
}

/**
 * The camera of an image that is stored or used at a fraction of the sensor's resolution (method 1): size, focal
 * length and principal point are divided by the resize factor, and the undistortion becomes a forward distortion, whose
 * coefficients depend on that factor. The skew is not used, as in the published system.
 * @param name the calibration file's stem
 */
export function cameraFromTka(calibration: TkaCalibration, resizeFactor: number, name: string): Camera {
  const { rotation, centre, pixelSize, principalPoint, undistortion } = calibration;
  const width = Math.floor(calibration.imageSize[0] / resizeFactor);
  const height = Math.floor(calibration.imageSize[1] / resizeFactor);
  const focalLength = calibration.focalLength / resizeFactor;
  const focalX = focalLength / pixelSize[0];
  const focalY = focalLength / pixelSize[1];
  const extrinsics = new Float64Array(12);
  for (let row = 0; row < 3; row++) {
    const axis = rotation.subarray(row * 3, row * 3 + 3);
    extrinsics.set(axis, row * 4);
    extrinsics[row * 4 + 3] = -(axis[0]! * centre[0] + axis[1]! * centre[1] + axis[2]! * centre[2]);
  }
  return {
    name,
    width,
    height,
    intrinsics: Float64Array.of(
      ...[focalX, 0, principalPoint[0] / resizeFactor],
      ...[0, focalY, principalPoint[1] / resizeFactor],
      ...[0, 0, 1],
    ),
    extrinsics,
    distortion:
      calibration.forwardDistortion ??
      fitForwardDistortion({
        k: undistortion[0],
        k2: undistortion[1],
        focalLength,
        width,
        height,
        focalX,
        focalY,
      }),
  };
}

/**
 * Writes a calibration as the published files are laid out: their reader cuts the lines by column.
 *
 * @param digits `published`: as many as the published files have. `exact`: as many as make it read as the same numbers.
 */
export function formatTka(calibration: TkaCalibration, digits: 'published' | 'exact' = 'published'): string {
  const { rotation, centre, undistortion, pixelSize, principalPoint, imageSize, forwardDistortion } = calibration;
  const fixed = (value: number, places: number): string =>
    digits === 'published' ? value.toFixed(places) : String(value);
  const significant = (value: number): string =>
    value === 0 ? '0' : digits === 'published' ? value.toPrecision(9) : String(value);
  const row = (index: number): string =>
    Array.from(rotation.subarray(index * 3, index * 3 + 3), (value) => `${fixed(value, 9)} `).join('');
  return [
    '# camera',
    row(0),
    row(1),
    row(2),
    `X= ${fixed(centre[0], 6)}`,
    `Y= ${fixed(centre[1], 6)}`,
    `Z= ${fixed(centre[2], 6)}`,
    `f= ${fixed(calibration.focalLength, 6)}`,
    `K= ${significant(undistortion[0])}`,
    `K2= ${significant(undistortion[1])}`,
    `S= ${significant(calibration.skew)}`,
    `x= ${fixed(pixelSize[0], 6)}`,
    `y= ${fixed(pixelSize[1], 6)}`,
    `a= ${fixed(principalPoint[0], 4)}`,
    `b= ${fixed(principalPoint[1], 4)}`,
    `is= ${imageSize[0]} ${imageSize[1]}`,
    'c= 1',
    ...(forwardDistortion ? [`D= ${forwardDistortion.join(' ')}`] : []),
    '',
  ].join('\n');
}

function numbersOf(text: string, count: number, expected: string, file: string, line: number): number[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const numbers = words.map(Number);
  if (numbers.length !== count || !numbers.every(Number.isFinite)) {
    throw new FormatError({ file, where: `line ${line}`, expected, found: text === '' ? 'nothing' : quoted(text) });
  }
  return numbers;
}

function checkRotation(rotation: Float64Array, file: string): void {
  const found = rotationProblem(rotation);
  if (found === null) return;
  throw new FormatError({
    file,
    where: 'lines 2 to 4',
    expected: 'a rotation matrix (orthonormal rows, determinant 1)',
    found,
  });
}
