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
    const { matrix, gradient } = normalEquations(residuals, parameters, current, scales);
    const damped = matrix.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value)));
    const step = solve(damped, gradient);
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

/** JᵀJ `[P][P]` and Jᵀr `[P]`, with the Jacobian by central differences. */
function normalEquations(
  residuals: (parameters: Float64Array) => Float64Array,
  parameters: Float64Array,
  current: Float64Array,
  scales: Float64Array,
): { matrix: number[][]; gradient: number[] } {
  const columns = Array.from(parameters, (value, i) => {
    const changed = (sign: number): Float64Array => {
      const near = parameters.slice();
      near[i] = value + sign * scales[i]!;
      return residuals(near);
    };
    const [above, below] = [changed(1), changed(-1)];
    return above.map((residual, k) => (residual - below[k]!) / (2 * scales[i]!));
  });
  return {
    matrix: columns.map((one) => columns.map((other) => dot(one, other))),
    gradient: columns.map((column) => dot(column, current)),
  };
}

/** Gaussian elimination with pivoting; null for a singular matrix. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]!;
    if (!(Math.abs(head[column]!) > 0)) return null;
    for (const row of rows.slice(column + 1)) {
      const factor = row[column]! / head[column]!;
      for (let k = column; k <= size; k++) row[k]! -= factor * head[k]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const row = rows[i]!;
    let sum = row[size]!;
    for (let k = i + 1; k < size; k++) sum -= row[k]! * solution[k]!;
    solution[i] = sum / row[i]!;
  }
  return solution.every(Number.isFinite) ? solution : null;
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i]! * other[i]!;
  return sum;
}

function sumOfSquares(values: Float64Array): number {
  return dot(values, values);
}
