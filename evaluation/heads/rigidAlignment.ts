import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { quaternionToMatrix, rotatePoints } from '../../geometry/rotation.js';

/**
 * The rotation R that brings points nearest to others: it maximises Σ b · (R a) (Horn 1987, the eigenvector of the
 * largest eigenvalue of a symmetric 4×4 matrix is R's quaternion; never a reflection).
 *
 * @param correlation `[3, 3]` row-major, Σ a bᵀ.
 * @returns `[3, 3]` row-major; the caller's.
 */
export function bestRotation(correlation: Float64Array): Float64Array {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = correlation as unknown as Nine;
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    new Matrix([
      [xx + yy + zz, yz - zy, zx - xz, xy - yx],
      [yz - zy, xx - yy - zz, xy + yx, zx + xz],
      [zx - xz, xy + yx, yy - xx - zz, yz + zy],
      [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]),
    { assumeSymmetric: true },
  );
  const largest = eigenvectorMatrix.getColumn(realEigenvalues.indexOf(Math.max(...realEigenvalues)));
  const [w, x, y, z] = largest as [number, number, number, number];
  return quaternionToMatrix(w, x, y, z);
}

type Nine = readonly [number, number, number, number, number, number, number, number, number];

/** Mean of points `[N, 3]`. */
export function centroid(points: Float32Array): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < points.length; i += 3) for (let axis = 0; axis < 3; axis++) sum[axis]! += points[i + axis]!;
  const count = points.length / 3;
  return [sum[0] / count, sum[1] / count, sum[2] / count];
}

/** Points `[N, 3]` moved by an offset. @returns a new array; the caller's. */
export function translated(points: Float32Array, offset: readonly [number, number, number]): Float32Array {
  return points.map((value, i) => value + offset[i % 3]!);
}

/** The rotation that brings centred points `[N, 3]` nearest to other centred points, vertex by vertex. */
export function alignmentRotation(from: Float32Array, to: Float32Array): Float64Array {
  const correlation = new Float64Array(9);
  for (let i = 0; i < from.length; i += 3) {
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) correlation[3 * row + column]! += from[i + row]! * to[i + column]!;
    }
  }
  return bestRotation(correlation);
}

/** The rotation nearest to the mean of some (chordal mean). @param rotations one or more `[3, 3]` row-major. */
export function meanRotation(rotations: readonly Float64Array[]): Float64Array {
  const correlation = new Float64Array(9);
  for (const rotation of rotations) {
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) correlation[3 * row + column]! += rotation[3 * column + row]!;
    }
  }
  return bestRotation(correlation);
}

/** @param matrix `[3, 3]` row-major. @returns its transpose, of a rotation the inverse; the caller's. */
export function transposed(matrix: Float64Array): Float64Array {
  return Float64Array.from({ length: 9 }, (_, i) => matrix[3 * (i % 3) + Math.floor(i / 3)]!);
}

/** Points moved rigidly as near to others as they come, vertex by vertex. Both `[N, 3]`. @returns the caller's */
export function aligned(points: Float32Array, onto: Float32Array): Float32Array {
  const [fromX, fromY, fromZ] = centroid(points);
  const [toX, toY, toZ] = centroid(onto);
  const centred = translated(points, [-fromX, -fromY, -fromZ]);
  const rotation = alignmentRotation(centred, translated(onto, [-toX, -toY, -toZ]));
  return translated(rotatePoints(rotation, centred), [toX, toY, toZ]);
}
