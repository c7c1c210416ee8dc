/**
 * A camera as OpenCV's calibration describes it, at the sensor's full resolution, with the world in millimetres:
 * x_camera = rotation · x_world + translation.
 */
export interface OpencvCamera {
  readonly name: string;
  /** `[width, height]`, px. */
  readonly imageSize: readonly [number, number];
  /** `[fx, fy]`, px. */
  readonly focal: readonly [number, number];
  /** `[cx, cy]`, px. */
  readonly principalPoint: readonly [number, number];
  /** k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, in OpenCV's order; zeros where the file has fewer. `[12]` */
  readonly distortion: Float64Array;
  /** Terms that OpenCV does not have, but other programs. */
  readonly further?: FurtherTerms;
  /** World to camera, row by row. `[3 * 3]` */
  readonly rotation: Float64Array;
  /** mm. */
  readonly translation: readonly [number, number, number];
}

/** Terms of Metashape's model beside those that OpenCV has as well. */
export interface FurtherTerms {
  /** Term of the radial distortion with r⁸. */
  readonly r8: number;
  /** The tangential distortion is multiplied by 1 + growth[0] r² + growth[1] r⁴. */
  readonly growth: readonly [number, number];
  /** px that x gains by y. */
  readonly shear: number;
}

/** Coefficients of OpenCV's model. */
export const distortionTerms = 12;

export type Optics = Pick<OpencvCamera, 'focal' | 'principalPoint' | 'distortion' | 'further'>;

/**
 * Where a lens puts the direction (x, y, 1): OpenCV's rational model with tangential and thin-prism terms
 * (documentation of `cv::projectPoints`, calib3d), and Metashape's further terms.
 *
 * @returns `[u, v]`, px.
 */
export function projectDirection(
  { focal, principalPoint, distortion, further = noFurtherTerms }: Optics,
  x: number,
  y: number,
): [number, number] {
  const [k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4] = distortion as unknown as TwelveNumbers;
  const r2 = x * x + y * y;
  const { r8, growth, shear } = further;
  const radial = (1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * r8)))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)));
  const grown = 1 + r2 * (growth[0] + r2 * growth[1]);
  const distortedX = x * radial + (2 * p1 * x * y + p2 * (r2 + 2 * x * x)) * grown + r2 * (s1 + s2 * r2);
  const distortedY = y * radial + (p1 * (r2 + 2 * y * y) + 2 * p2 * x * y) * grown + r2 * (s3 + s4 * r2);
  const u = focal[0] * distortedX + shear * distortedY + principalPoint[0];
  return [u, focal[1] * distortedY + principalPoint[1]];
}

const noFurtherTerms: FurtherTerms = { r8: 0, growth: [0, 0], shear: 0 };

type TwelveNumbers = [
  ...[number, number, number, number],
  ...[number, number, number, number],
  ...[number, number, number, number],
];

/**
 * The direction (x, y, 1) that a lens puts into a pixel, by Newton's method from the direction without distortion.
 *
 * @returns null where there is none: the distortion folds the picture before it gets there.
 */
export function directionOfPixel(optics: Optics, u: number, v: number): [number, number] | null {
  const { focal, principalPoint } = optics;
  let x = (u - principalPoint[0]) / focal[0];
  let y = (v - principalPoint[1]) / focal[1];
  const h = 1e-6;
  for (let iteration = 0; iteration < 50; iteration++) {
    const [foundU, foundV] = projectDirection(optics, x, y);
    const [errorU, errorV] = [foundU - u, foundV - v];
    const [rightU, rightV] = projectDirection(optics, x + h, y);
    const [downU, downV] = projectDirection(optics, x, y + h);
    const [ux, uy, vx, vy] = [(rightU - foundU) / h, (downU - foundU) / h, (rightV - foundV) / h, (downV - foundV) / h];
    const determinant = ux * vy - uy * vx;
    // A lens keeps the picture's handedness.
    if (!(determinant > 0)) return null;
    if (Math.hypot(errorU, errorV) < 1e-9) return [x, y];
    x -= (vy * errorU - uy * errorV) / determinant;
    y -= (ux * errorV - vx * errorU) / determinant;
  }
  const [foundU, foundV] = projectDirection(optics, x, y);
  return Math.hypot(foundU - u, foundV - v) < 1e-5 ? [x, y] : null;
}

/** The camera in a world that is moved and turned: x_new = axes · (x_old − origin). @param axes a rotation, `[3 * 3]`. */
export function inWorld(
  camera: OpencvCamera,
  origin: readonly [number, number, number],
  axes: Float64Array,
): OpencvCamera {
  const { rotation: r, translation: t } = camera;
  const rotation = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      // R · axesᵀ
      for (let k = 0; k < 3; k++) rotation[3 * row + column]! += r[3 * row + k]! * axes[3 * column + k]!;
    }
  }
  const moved = (row: number): number =>
    t[row]! + r[3 * row]! * origin[0] + r[3 * row + 1]! * origin[1] + r[3 * row + 2]! * origin[2];
  return { ...camera, rotation, translation: [moved(0), moved(1), moved(2)] };
}
