/** Rotations as `[3, 3]` row-major float64 matrices. A matrix acts on column vectors from the left. */

/**
 * Rotation matrix of a quaternion (w, x, y, z), which need not be normalised.
 *
 * @throws RangeError for the zero quaternion.
 */
export function quaternionToMatrix(w: number, x: number, y: number, z: number): Float64Array {
  const squaredNorm = w * w + x * x + y * y + z * z;
  if (squaredNorm === 0) throw new RangeError('the zero quaternion is not a rotation');
  const s = 2 / squaredNorm;
  return Float64Array.of(
    1 - s * (y * y + z * z),
    s * (x * y - z * w),
    s * (x * z + y * w),
    s * (x * y + z * w),
    1 - s * (x * x + z * z),
    s * (y * z - x * w),
    s * (x * z - y * w),
    s * (y * z + x * w),
    1 - s * (x * x + y * y),
  );
}

/**
 * A uniformly distributed rotation: the quaternion (w, x, y, z) of four independent standard normal numbers.
 *
 * @param gaussian source of standard normal numbers; four are drawn.
 */
export function randomRotation(gaussian: () => number): Float64Array {
  return quaternionToMatrix(gaussian(), gaussian(), gaussian(), gaussian());
}

/** Rotation by an angle in radians about an axis, which need not be of unit length. */
export function rotationAboutAxis(axis: readonly [number, number, number], angle: number): Float64Array {
  const length = Math.hypot(...axis);
  if (length === 0) throw new RangeError('the axis of a rotation must not be zero');
  const s = Math.sin(angle / 2) / length;
  return quaternionToMatrix(Math.cos(angle / 2), s * axis[0], s * axis[1], s * axis[2]);
}

/** Rotates points `[N, 3]` about the origin. @returns a new array; the caller's. */
export function rotatePoints(r: Float64Array, points: Float32Array): Float32Array {
  const rotated = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i]!;
    const y = points[i + 1]!;
    const z = points[i + 2]!;
    rotated[i] = r[0]! * x + r[1]! * y + r[2]! * z;
    rotated[i + 1] = r[3]! * x + r[4]! * y + r[5]! * z;
    rotated[i + 2] = r[6]! * x + r[7]! * y + r[8]! * z;
  }
  return rotated;
}
