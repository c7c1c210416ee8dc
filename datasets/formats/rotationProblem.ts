/** Files print rotations with a few digits; anything further from orthonormal than this is another matrix. */
const orthonormalTolerance = 1e-3;

/**
 * What is wrong with a matrix that should be a rotation, in words that help to find the mistake; null if nothing is.
 *
 * @param rotation `[3 * 3]` row by row, finite.
 */
export function rotationProblem(rotation: Float64Array): string | null {
  const dot = (first: number, second: number): number =>
    [0, 1, 2].reduce((sum, column) => sum + rotation[first * 3 + column]! * rotation[second * 3 + column]!, 0);
  const minor = (first: number, second: number): number =>
    rotation[3 + first]! * rotation[6 + second]! - rotation[3 + second]! * rotation[6 + first]!;
  const determinant = rotation[0]! * minor(1, 2) - rotation[1]! * minor(0, 2) + rotation[2]! * minor(0, 1);
  const lengths = [0, 1, 2].map((row) => Math.abs(dot(row, row) - 1));
  const angles = [dot(0, 1), dot(0, 2), dot(1, 2)].map(Math.abs);
  const worst = Math.max(...lengths, ...angles);
  if (worst <= orthonormalTolerance) {
    if (determinant > 0) return null;
    return `one that mirrors (determinant −1): an axis has the wrong sign, or the world is left-handed; change the sign of one axis of the world, in points and cameras alike`;
  }
  const scales = [0, 1, 2].map((row) => Math.sqrt(dot(row, row)));
  const isScaled = Math.max(...angles) <= orthonormalTolerance * Math.max(...scales) ** 2;
  const rows = scales.map((scale) => scale.toPrecision(4)).join(', ');
  return `one that is off by ${worst.toPrecision(3)}${isScaled ? ` (its rows have the lengths ${rows}: it scales as well)` : ''}`;
}
