import { FormatError } from '../../formats/formatError.js';
import { distortionTerms, type OpencvCamera } from '../opencvCamera.js';

/** What the parameters of a COLMAP camera model are, in their order; null: a lens that the networks do not have. */
interface Model {
  readonly name: string;
  readonly parameters: number;
  readonly read: ((p: readonly number[]) => Pick<OpencvCamera, 'focal' | 'principalPoint'> & { lens: number[] }) | null;
}

const usual = (fx: number, fy: number, cx: number, cy: number, ...lens: number[]) => ({
  focal: [fx, fy] as const,
  // The middle of COLMAP's first pixel is at (0.5, 0.5), of OpenCV's at (0, 0).
  principalPoint: [cx - 0.5, cy - 0.5] as const,
  lens,
});

/** In the order of their numbers in binary files (COLMAP's documentation, "Camera Models"). */
const models: readonly Model[] = [
  { name: 'SIMPLE_PINHOLE', parameters: 3, read: ([f, cx, cy]) => usual(f!, f!, cx!, cy!) },
  { name: 'PINHOLE', parameters: 4, read: ([fx, fy, cx, cy]) => usual(fx!, fy!, cx!, cy!) },
  { name: 'SIMPLE_RADIAL', parameters: 4, read: ([f, cx, cy, k]) => usual(f!, f!, cx!, cy!, k!) },
  { name: 'RADIAL', parameters: 5, read: ([f, cx, cy, k1, k2]) => usual(f!, f!, cx!, cy!, k1!, k2!) },
  { name: 'OPENCV', parameters: 8, read: ([fx, fy, cx, cy, ...lens]) => usual(fx!, fy!, cx!, cy!, ...lens) },
  { name: 'OPENCV_FISHEYE', parameters: 8, read: null },
  { name: 'FULL_OPENCV', parameters: 12, read: ([fx, fy, cx, cy, ...lens]) => usual(fx!, fy!, cx!, cy!, ...lens) },
  { name: 'FOV', parameters: 5, read: null },
  { name: 'SIMPLE_RADIAL_FISHEYE', parameters: 4, read: null },
  { name: 'RADIAL_FISHEYE', parameters: 5, read: null },
  { name: 'THIN_PRISM_FISHEYE', parameters: 12, read: null },
  { name: 'RAD_TAN_THIN_PRISM_FISHEYE', parameters: 16, read: null },
  { name: 'SIMPLE_DIVISION', parameters: 4, read: null },
  { name: 'DIVISION', parameters: 5, read: null },
  { name: 'SIMPLE_FISHEYE', parameters: 3, read: null },
  { name: 'FISHEYE', parameters: 4, read: null },
  { name: 'EUCM', parameters: 6, read: null },
  { name: 'EQUIRECTANGULAR', parameters: 2, read: null },
];

/** A camera of `cameras.txt` or `cameras.bin`. */
export interface ColmapCamera {
  readonly model: string;
  readonly imageSize: readonly [number, number];
  readonly parameters: readonly number[];
}

/** Name and number of parameters of a model. @throws FormatError of one that is not known */
export function colmapModel(
  key: string | number,
  file: string,
  where: string,
): { readonly name: string; readonly parameters: number } {
  const model = typeof key === 'number' ? models[key] : models.find(({ name }) => name === key);
  if (model) return model;
  const expected = `a camera model of COLMAP (${models
    .filter(({ read }) => read)
    .map(({ name }) => name)
    .join(', ')})`;
  throw new FormatError({ file, where, expected, found: String(key) });
}

/**
 * The optics of a camera.
 *
 * @param undistorted the lens is left out; but a fisheye's matrix is not that of a pinhole's picture.
 * @throws FormatError of a lens that the networks do not have
 */
export function colmapOptics(
  { model: name, parameters }: ColmapCamera,
  file: string,
  where: string,
  undistorted: boolean,
): Pick<OpencvCamera, 'focal' | 'principalPoint' | 'distortion'> {
  const model = models.find((each) => each.name === name);
  if (!model?.read) {
    throw new FormatError({
      file,
      where,
      expected:
        'a lens of a model that the networks come near to (SIMPLE_PINHOLE … RADIAL, OPENCV, FULL_OPENCV): ' +
        'undistort with `colmap image_undistorter`, and convert what it writes',
      found: name,
    });
  }
  const { lens, focal, principalPoint } = model.read(parameters);
  if (!(focal[0] > 0 && focal[1] > 0)) {
    throw new FormatError({ file, where, expected: 'focal lengths above 0', found: focal.join(' and ') });
  }
  const distortion = new Float64Array(distortionTerms);
  if (!undistorted) distortion.set(lens);
  return { focal, principalPoint, distortion };
}
