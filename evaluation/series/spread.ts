import type { MethodErrors } from '../types.js';
import type { ComparedRun } from './readSeries.js';

/** A figure over repeats. */
export interface Spread {
  readonly mean: number;
  /** Deviation of the sample (n − 1): how far one more repeat is to be expected from the mean. */
  readonly standardDeviation: number;
}

/** The figures of a method over repeats, mm; null where a repeat has none. */
export interface MethodSpread {
  readonly method: string;
  readonly pointToSurface: { readonly median: Spread; readonly mean: Spread; readonly percentile90: Spread };
  readonly vertices: { readonly median: Spread; readonly mean: Spread; readonly percentile90: Spread } | null;
  /** Share of the true expression's displacement. */
  readonly expressionExplained: Spread | null;
}

/** What a table is made of: a run's evaluation, or the part of it that a workflow's result holds. */
export interface Measured {
  readonly frames: number;
  readonly subjects: readonly string[];
  readonly methods: readonly MethodErrors[];
}

/** Mean and spread of every method that all repeats have; of those that are measured. Empty for fewer than two. */
export function spreads(runs: readonly ComparedRun<Measured>[]): MethodSpread[] {
  const measured = runs.flatMap(({ evaluation }) => evaluation ?? []);
  const [first] = measured;
  if (first === undefined || measured.length < 2) return [];
  return first.methods.flatMap(({ method }) => {
    const rows = measured.flatMap(({ methods }) => methods.find((row) => row.method === method) ?? []);
    if (rows.length < measured.length) return [];
    const of = (figure: (row: MethodErrors) => number): Spread => spreadOf(rows.map(figure));
    const hasVertices = rows.every(({ vertices }) => vertices !== null);
    const hasExpression = rows.every(({ parts }) => typeof parts?.expressionExplained === 'number');
    return {
      method,
      pointToSurface: {
        median: of(({ pointToSurface }) => pointToSurface.median),
        mean: of(({ pointToSurface }) => pointToSurface.mean),
        percentile90: of(({ pointToSurface }) => pointToSurface.percentile90),
      },
      vertices: hasVertices
        ? {
            median: of(({ vertices }) => vertices!.median),
            mean: of(({ vertices }) => vertices!.mean),
            percentile90: of(({ vertices }) => vertices!.percentile90),
          }
        : null,
      expressionExplained: hasExpression ? of(({ parts }) => parts!.expressionExplained!) : null,
    };
  });
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardDeviation: Math.sqrt(squares / (values.length - 1)) };
}
