import { ErrorStatistics, type ErrorState } from '../errors/errorStatistics.js';
import { percentiles, type Summary } from './types.js';

/** Statistics of each method. */
export class ByMethod {
  private readonly statistics = new Map<string, ErrorStatistics>();

  of(method: string): ErrorStatistics {
    let found = this.statistics.get(method);
    if (!found) this.statistics.set(method, (found = new ErrorStatistics()));
    return found;
  }

  has(method: string): boolean {
    return this.statistics.has(method);
  }

  all(): [string, ErrorStatistics][] {
    return [...this.statistics];
  }

  /** To be merged elsewhere. */
  state(): [string, ErrorState][] {
    return this.all().map(([method, errors]) => [method, errors.state()]);
  }

  merge(state: readonly (readonly [string, ErrorState])[]): void {
    for (const [method, errors] of state) this.of(method).merge(errors);
  }
}

/** The summary of errors that were collected. */
export function summary(errors: ErrorStatistics): Summary {
  const { count, mean, median, standardDeviation } = errors.summary();
  return {
    count,
    mean,
    median,
    standardDeviation,
    largest: errors.quantile(1),
    percentiles: Object.fromEntries(percentiles.map((percent) => [percent, errors.quantile(percent / 100)])),
  };
}

/** The summary of one frame, from its errors themselves. */
export function exactSummary(errors: Float32Array): Summary {
  const sorted = errors.slice().sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, error) => sum + error, 0) / count;
  const variance = sorted.reduce((sum, error) => sum + (error - mean) ** 2, 0) / count;
  const quantile = (share: number): number => {
    const position = share * (count - 1);
    const below = Math.floor(position);
    const low = sorted[below]!;
    return low + (position - below) * ((sorted[below + 1] ?? low) - low);
  };
  return {
    count,
    mean,
    median: quantile(0.5),
    standardDeviation: Math.sqrt(variance),
    largest: sorted[count - 1]!,
    percentiles: Object.fromEntries(percentiles.map((percent) => [percent, quantile(percent / 100)])),
  };
}
