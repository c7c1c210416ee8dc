/**
 * A calibrated view. World coordinates are mm; camera axes are x right, y down, z forward; pixel coordinates have
 * their origin at the top left, x to the right, y down.
 */
export interface Camera {
  /** The calibration file's stem, `26_A`. */
  readonly name: string;
  /** Image size that the intrinsics speak of, px. */
  readonly width: number;
  readonly height: number;
  /** `[3, 3]` row-major, px. */
  readonly intrinsics: Float64Array;
  /** `[3, 4]` row-major `[R | t]`, world mm to camera mm. */
  readonly extrinsics: Float64Array;
  /** Radial coefficients k1, k2 in the forward (undistorted to distorted) sense: x_d = x (1 + k1 r² + k2 r⁴). */
  readonly distortion: readonly [number, number];
}

/** Below this depth a division by z is left out, as the published code does (method 2.3). */
const leastDepth = 1e-7;

/**
 * Projects points into a view (method 2.3): world to camera, division by z (by 1 where |z| < 1e-7), radial distortion,
 * intrinsics. Points behind the camera are projected as well: there is no test that z > 0.
 *
 * @param points `[N, 3]`, world mm.
 * @param options.distort false leaves the radial distortion out, as depth rendering does (method 3.2).
 * @returns `[N, 3]`: x px, y px, depth z in mm. The caller's.
 */
export function projectPoints(
  camera: Camera,
  points: Float32Array | Float64Array,
  options: { readonly distort?: boolean } = {},
): Float64Array {
  const projected = new Float64Array(points.length);
  const e = camera.extrinsics;
  const k = camera.intrinsics;
  const [k1, k2] = options.distort === false ? [0, 0] : camera.distortion;
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i]!;
    const y = points[i + 1]!;
    const z = points[i + 2]!;
    const depth = e[8]! * x + e[9]! * y + e[10]! * z + e[11]!;
    const divisor = Math.abs(depth) < leastDepth ? 1 : depth;
    let u = (e[0]! * x + e[1]! * y + e[2]! * z + e[3]!) / divisor;
    let v = (e[4]! * x + e[5]! * y + e[6]! * z + e[7]!) / divisor;
    const squaredRadius = u * u + v * v;
    const factor = 1 + squaredRadius * (k1 + k2 * squaredRadius);
    u *= factor;
    v *= factor;
    projected[i] = k[0]! * u + k[1]! * v + k[2]!;
    projected[i + 1] = k[3]! * u + k[4]! * v + k[5]!;
    projected[i + 2] = depth;
  }
  return projected;
}

/** The camera's centre in the world, mm: −Rᵀ t. */
export function cameraCentre(camera: Camera): [number, number, number] {
  const e = camera.extrinsics;
  const along = (column: number): number => -(e[column]! * e[3]! + e[4 + column]! * e[7]! + e[8 + column]! * e[11]!);
  return [along(0), along(1), along(2)];
}

/** Product of two `[3, 3]` row-major matrices. */
export function multiply3x3(left: Float64Array, right: Float64Array): Float64Array {
  const product = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += left[3 * row + k]! * right[3 * k + column]!;
      product[3 * row + column] = sum;
    }
  }
  return product;
}

/**
 * The camera of an image that was rotated by 90° counter-clockwise (method 1: portrait views become landscape): the
 * intrinsics multiplied from the left by [[0,1,0],[−1,0,W],[0,0,1]], W the width before; width and height swap.
 */
export function rotateCounterClockwise(camera: Camera): Camera {
  const turn = Float64Array.of(0, 1, 0, -1, 0, camera.width, 0, 0, 1);
  return {
    ...camera,
    width: camera.height,
    height: camera.width,
    intrinsics: multiply3x3(turn, camera.intrinsics),
  };
}

/** Intrinsics of an image that was scaled: diag(scaleX, scaleY, 1) · K. */
export function scaleIntrinsics(intrinsics: Float64Array, scaleX: number, scaleY = scaleX): Float64Array {
  return multiply3x3(Float64Array.of(scaleX, 0, 0, 0, scaleY, 0, 0, 0, 1), intrinsics);
}

/** Intrinsics of an image whose origin moved: cropping by `offset` is a shift by −offset, padding one by +padding. px. */
export function shiftIntrinsics(intrinsics: Float64Array, shiftX: number, shiftY: number): Float64Array {
  return multiply3x3(Float64Array.of(1, 0, shiftX, 0, 1, shiftY, 0, 0, 1), intrinsics);
}

type Vector = readonly [number, number, number];

/**
 * Extrinsics `[3, 4]` of a camera that looks from one point at another (the miniature's generator).
 *
 * @param centre camera centre, mm. @param target the point in the middle of the picture, mm.
 * @param up the world direction that is up in the picture.
 * @throws RangeError when target and centre agree or `up` is along the line of sight.
 */
export function lookAt(centre: Vector, target: Vector, up: Vector): Float64Array {
  const forward = unit([target[0] - centre[0], target[1] - centre[1], target[2] - centre[2]]);
  const right = unit(cross(forward, up));
  const down = cross(forward, right);
  const row = (axis: Vector): number[] => [...axis, -(axis[0] * centre[0] + axis[1] * centre[1] + axis[2] * centre[2])];
  return Float64Array.from([...row(right), ...row(down), ...row(forward)]);
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(v: Vector): Vector {
  const length = Math.hypot(...v);
  if (length < 1e-12) {
    throw new RangeError('lookAt: the camera centre, the target and the up direction must not lie on one line');
  }
  return [v[0] / length, v[1] / length, v[2] / length];
}
