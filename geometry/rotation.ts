/** Rotations as `[3, 3]` row-major float64 matrices. A matrix acts on column vectors from the left. */

/**
 * Rotation matrix of a quaternion (w, x, y, z), which need not be normalised.
 *
 * @throws RangeError for the zero quaternion.
 */
export function quaternionToMatrix(w: number, x: number, y: number, z: number): Float64Array {
  const squaredNorm = w * w + x * x + y * y + z * z;
  if (squaredNorm === 0) throw new RangeError('the zero quaternion is no rotation');
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
 * Rotation from its 6-D representation (method 2.4): Gram–Schmidt on two 3-vectors; they and their cross product are the
 * matrix's rows.
 *
 * @param six the two vectors, one after the other.
 */
export function rotationFromSixNumbers(six: ArrayLike<number>): Float64Array {
  const [a0, a1, a2, b0, b1, b2] = Array.from(six);
  if (
    a0 === undefined ||
    a1 === undefined ||
    a2 === undefined ||
    b0 === undefined ||
    b1 === undefined ||
    b2 === undefined
  ) {
    throw new RangeError(`a 6-D rotation has 6 numbers, found ${six.length}`);
  }
  const lengthA = Math.max(Math.hypot(a0, a1, a2), 1e-12);
  const [x0, x1, x2] = [a0 / lengthA, a1 / lengthA, a2 / lengthA];
  const along = x0 * b0 + x1 * b1 + x2 * b2;
  const [c0, c1, c2] = [b0 - along * x0, b1 - along * x1, b2 - along * x2];
  const lengthC = Math.max(Math.hypot(c0, c1, c2), 1e-12);
  const [y0, y1, y2] = [c0 / lengthC, c1 / lengthC, c2 / lengthC];
  return Float64Array.of(x0, x1, x2, y0, y1, y2, x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0);
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
