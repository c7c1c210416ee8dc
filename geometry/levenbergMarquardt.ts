import { LuDecomposition, Matrix } from 'ml-matrix';

/** What `levenbergMarquardt` found. */
export interface LeastSquares {
  readonly parameters: Float64Array;
  /** Sum of the squared residuals. */
  readonly cost: number;
}

/**
 * Minimises a sum of squares of few parameters by the method of Levenberg and Marquardt (Marquardt 1963), with numeric
 * derivatives and the damping scaled by the normal matrix's diagonal.
 *
 * @param residuals of parameters `[P]`; always as many. Not finite: the parameters are out of bounds.
 * @param start where it begins, `[P]`.
 * @param scales a small change of each parameter, for the derivatives, `[P]`.
 */
export function levenbergMarquardt(
  residuals: (parameters: Float64Array) => Float64Array,
  start: Float64Array,
  scales: Float64Array,
  iterations = 100,
): LeastSquares {
  let parameters = start.slice();
  let current = residuals(parameters);
  let cost = sumOfSquares(current);
  let damping = 1e-3;
  for (let iteration = 0; iteration < iterations && damping < 1e12; iteration++) {
    const transposed = transposedJacobian(residuals, parameters, scales);
    const damped = transposed.mmul(transposed.transpose());
    for (let i = 0; i < parameters.length; i++) damped.set(i, i, damped.get(i, i) * (1 + damping));
    const step = solve(damped, transposed.mmul(Matrix.columnVector(current)));
    const next = step && parameters.map((value, i) => value - step[i]!);
    const moved = next && residuals(next);
    const lower = moved ? sumOfSquares(moved) : NaN;
    if (!next || !moved || !(lower < cost)) {
      damping *= 10;
      continue;
    }
    const gain = cost - lower;
    [parameters, current, cost] = [next, moved, lower];
    damping = Math.max(damping / 10, 1e-12);
    if (gain < 1e-10 * cost) break;
  }
  return { parameters, cost };
}

/** Jᵀ `[P, N]`, by central differences. */
function transposedJacobian(
  residuals: (parameters: Float64Array) => Float64Array,
  parameters: Float64Array,
  scales: Float64Array,
): Matrix {
  const columns = Array.from(parameters, (value, i) => {
    const changed = (sign: number): Float64Array => {
      const near = parameters.slice();
      near[i] = value + sign * scales[i]!;
      return residuals(near);
    };
    const [above, below] = [changed(1), changed(-1)];
    return above.map((residual, k) => (residual - below[k]!) / (2 * scales[i]!));
  });
  return new Matrix(columns);
}

/** null for a singular matrix. */
function solve(matrix: Matrix, right: Matrix): number[] | null {
  const decomposition = new LuDecomposition(matrix);
  if (decomposition.isSingular()) return null;
  const solution = decomposition.solve(right).to1DArray();
  return solution.every(Number.isFinite) ? solution : null;
}

const sumOfSquares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
