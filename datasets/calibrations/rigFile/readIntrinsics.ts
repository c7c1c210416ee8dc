import { describe, fieldOf, isMap, neededField, numberOf, problem, type Fields } from '../fields/fields.js';
import { matrixOf } from '../fields/matrices.js';
import type { OpencvCamera } from '../opencvCamera.js';
import type { CalibrationDefaults } from '../options.js';
import { names } from './names.js';

/** Whether a map has what a camera needs to be one. */
export function hasIntrinsics(values: Readonly<Record<string, unknown>>): boolean {
  const isThere = (name: string): boolean => Object.hasOwn(values, name);
  if (names.cameraMatrix.some(isThere) || names.focalX.some(isThere)) return true;
  const inner = ['calibration', 'intrinsic'].map((group) => values[group]);
  return inner.some((group) => isMap(group) && hasIntrinsics(group));
}

/** Focal lengths and principal point, of a camera matrix or of fx, fy, cx, cy. @throws FormatError */
export function readIntrinsics(fields: Fields): Pick<OpencvCamera, 'focal' | 'principalPoint'> {
  const matrix = fieldOf(fields, names.cameraMatrix);
  const expected = 'a camera matrix [fx 0 cx; 0 fy cy; 0 0 1] with fx and fy above 0';
  if (!matrix) {
    const groups = [names.focalX, names.focalY, names.principalX, names.principalY];
    const there = groups.some((group) => fieldOf(fields, group) !== null);
    if (!there) neededField(fields, names.cameraMatrix, 'a camera matrix');
    const [fx, fy, cx, cy] = groups.map((group) => numberOf(fields, neededField(fields, group, 'a number of pixels')));
    if (!(fx! > 0 && fy! > 0)) throw problem(fields, names.focalX[0], 'focal lengths above 0', `${fx} and ${fy}`);
    return { focal: [fx!, fy!], principalPoint: [cx!, cy!] };
  }
  const { data } = matrixOf(fields, matrix, 'a camera matrix, 3 × 3');
  if (data.length !== 9) throw problem(fields, matrix.name, expected, `${data.length} numbers`);
  const [fx, skew, cx, below, fy, cy, ...last] = data as [number, number, number, number, number, number, ...number[]];
  const isPlain = below === 0 && last.join() === '0,0,1' && fx > 0 && fy > 0;
  if (!isPlain) throw problem(fields, matrix.name, expected, `[${data.join(' ')}]`);
  // OpenCV's own projection leaves the skew out as well: such a matrix is another program's.
  if (Math.abs(skew) > 1e-9 * fx) throw problem(fields, matrix.name, 'no skew, which OpenCV does not know', `${skew}`);
  return { focal: [fx, fy], principalPoint: [cx, cy] };
}

/** `[width, height]`, px. @throws FormatError */
export function readImageSize(fields: Fields, { imageSize }: CalibrationDefaults): readonly [number, number] {
  const pair = fieldOf(fields, names.imageSize);
  const width = fieldOf(fields, names.width);
  const height = fieldOf(fields, names.height);
  const expected = 'width and height in whole pixels, 1 to 65535';
  let size: readonly unknown[];
  if (pair)
    size =
      isMap(pair.value) && !Object.hasOwn(pair.value, 'data')
        ? [pair.value['width'], pair.value['height']]
        : matrixOf(fields, pair, expected).data;
  else if (width && height) size = [width.value, height.value];
  else if (imageSize) size = imageSize;
  else throw problem(fields, '', `the image size (image_width and image_height, or --image-size)`, 'none');
  const [first, second, ...more] = size;
  if (!isSide(first) || !isSide(second) || more.length > 0) {
    throw problem(fields, pair?.name ?? 'image size', expected, size.map(describe).join(' × '));
  }
  return [first, second];
}

/** Whether it can be an image's width or height. */
export function isSide(side: unknown): side is number {
  return typeof side === 'number' && Number.isInteger(side) && side > 0 && side <= 65_535;
}
