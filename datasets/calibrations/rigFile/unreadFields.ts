import { quoted } from '../../formats/formatError.js';
import { describe, isMap, problem, type Fields } from '../fields/fields.js';
import { isOtherLens, otherLens } from '../fields/otherLens.js';

/** Parts of names that speak of a lens. */
const lensWords =
  /^(?:dist|distort\w*|undist\w*|lens\w*|fisheye|radial|tangential|prism|omni\w*|xi|alpha|skew|shear|coefs?|coeffs?|coefficients?|projection|model|equidistant|fov|tilt\w*|tau|poly\w*|mei|e?ucm|ds|kannala|brandt|division|zernike|spline|brown|conrady|kappa\d*|f?theta\d*|kc|[kps]\d|b[12])$/i;
/** Names a lens's coefficients: a capital one is the camera matrix. */
const lensLetter = 'k';
/** Fields about a part of the picture, or one of fewer pixels: the camera matrix may be for another. */
const pictureWords = /^(?:binning|subsampling|decimation|roi|crop\w*)$/i;
const offsetName = /offset|left|top|^[xyuv]0?$/i;
/** Matrices of pictures that were rectified for stereo matching: they say nothing of the pictures that were taken. */
const ofRectified = ['projection_matrix', 'rectification_matrix', 'P', 'P1', 'P2', 'R1', 'R2', 'Q'];
/** Lists of numbers that calibrating programs leave beside a camera. */
const ofCalibrating = /error|rms|residual|covariance|deviation|std|board|grid|points|roi|colou?r|time|date|imu/i;
/** Numbers of distortion coefficients that programs write; lists with larger values than this are others. */
const lensLengths = [4, 5, 8, 12, 14];
const largestCoefficient = 100;
const deepest = 4;

/**
 * The fields of a camera that nothing has read. One that may be a lens is refused, for a lens that is left out moves
 * every picture.
 *
 * @param undistorted the lens is not asked for: no field is refused.
 * @returns their names.
 * @throws FormatError
 */
export function unreadFields(fields: Fields, undistorted: boolean): string[] {
  const unread = Object.entries(fields.values).filter(([name]) => !fields.read.has(name));
  if (!undistorted) for (const [name, value] of unread) checkField(fields, name, value, 0);
  return unread.map(([name]) => name);
}

function checkField(fields: Fields, name: string, value: unknown, depth: number): void {
  if (saysNothing(value)) return;
  if (isOtherLens(value)) throw otherLens(fields, name, value);
  const own = name.split('.').at(-1)!;
  const numbers = numbersIn(value);
  if (ofRectified.includes(own) && [9, 12, 16].includes(numbers?.length ?? 0)) return;
  const isList = numbers !== null && lensLengths.includes(numbers.length) && !ofCalibrating.test(own);
  const isLens = isList && numbers.every((number) => Math.abs(number) < largestCoefficient);
  if (wordsOf(own).some((word) => pictureWords.test(word)) && movesPixels(value)) {
    const expected = `the camera of whole pictures, as they are stored (or --ignore ${own}, where it is that)`;
    throw problem(fields, name, expected, describe(value));
  }
  if (isLens || own === lensLetter || wordsOf(own).some((word) => lensWords.test(word))) {
    const expected =
      'no field that may be of the lens but is not understood: call it as docs/own-data.md does, ' +
      `or leave it out with --ignore ${own}`;
    throw problem(fields, name, expected, describe(value));
  }
  if (!isMap(value) || numbers !== null || depth > deepest) return;
  for (const [inner, innerValue] of Object.entries(value)) {
    checkField(fields, `${name}.${inner}`, innerValue, depth + 1);
  }
}

/** `distCoef`, `dist_coef`, `DistCoef`: dist, coef; `k_1`: k1. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/(?<![A-Za-z])([kps])[_-](?=\d)/gi, '$1')
    .split(/[^A-Za-z0-9]+/);
}

/** ROS writes a region of interest from 0, 0 on, and a binning of 0 or 1, where there is none. */
function movesPixels(value: unknown): boolean {
  if (typeof value === 'number') return value > 1;
  if (isMap(value)) return Object.entries(value).some(([key, inner]) => offsetName.test(key) && !saysNothing(inner));
  const numbers = numbersIn(value);
  return numbers !== null && numbers.slice(0, 2).some((number) => number > 0);
}

function saysNothing(value: unknown): boolean {
  if (value === null || value === false || value === 0 || value === '' || value === 'none') return true;
  if (Array.isArray(value)) return (value as readonly unknown[]).every(saysNothing);
  return isMap(value) && 'data' in value && saysNothing(value['data']);
}

/** The numbers of a matrix, or of a list of nothing else; null for anything else. */
function numbersIn(value: unknown): number[] | null {
  const list: unknown = isMap(value) ? value['data'] : value;
  if (!Array.isArray(list)) return null;
  const flat = (list as readonly unknown[]).flat();
  return flat.every((entry) => typeof entry === 'number') ? flat : null;
}

/** Human-readable: what a file holds besides what is used. */
export function unreadNote(file: string, unread: ReadonlySet<string>): string {
  return `${file}: not used: ${[...unread].slice(0, 12).map(quoted).join(', ')}${unread.size > 12 ? ', …' : ''}.`;
}
