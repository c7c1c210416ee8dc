import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** A mean, and orthonormal directions around it by falling variance. */
export interface PrincipalComponents {
  readonly mean: Float32Array;
  /** Each as long as the mean, of length 1. */
  readonly directions: readonly Float64Array[];
}

/** Directions whose variance is below this share of the first one's are rounding. */
const leastVariance = 1e-10;

/**
 * Principal components of vectors, by the eigenvectors of their Gram matrix: vectors are longer than they are many.
 *
 * @param vectors one or more, of the mean's length. @param most how many directions at most.
 */
export function principalComponents(
  vectors: readonly Float32Array[],
  mean: Float32Array,
  most: number,
): PrincipalComponents {
  const centred = vectors.map((vector) => Float64Array.from(vector, (value, i) => value - mean[i]!));
  const gram = Matrix.zeros(centred.length, centred.length);
  for (const [row, a] of centred.entries()) {
    for (let column = 0; column <= row; column++) {
      const product = dot(a, centred[column]!);
      gram.set(row, column, product);
      gram.set(column, row, product);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const order = [...realEigenvalues.keys()].sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const largest = realEigenvalues[order[0] ?? 0] ?? 0;
  const directions: Float64Array[] = [];
  for (const column of order.slice(0, most)) {
    const variance = realEigenvalues[column]!;
    if (!(variance > leastVariance * largest)) break;
    const direction = new Float64Array(mean.length);
    for (const [row, vector] of centred.entries()) {
      const weight = eigenvectorMatrix.get(row, column) / Math.sqrt(variance);
      for (let i = 0; i < direction.length; i++) direction[i]! += weight * vector[i]!;
    }
    directions.push(direction);
  }
  return { mean, directions };
}

/** The vector nearest to another that the mean and the first directions can make. @returns a new array; the caller's. */
export function nearestVector(
  { mean, directions }: PrincipalComponents,
  vector: Float32Array,
  count: number,
): Float32Array {
  const offset = Float64Array.from(vector, (value, i) => value - mean[i]!);
  const nearest = Float64Array.from(mean);
  for (const direction of directions.slice(0, count)) {
    const weight = dot(direction, offset);
    for (let i = 0; i < nearest.length; i++) nearest[i]! += weight * direction[i]!;
  }
  return Float32Array.from(nearest);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
