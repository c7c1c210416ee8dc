import type { ErrorSummary } from '../types.js';
import { decodeWholes, encodeWholes } from './encodedNumbers.js';

/** Errors below this count as this, mm. */
const least = 1e-6;
const binsPerOctave = 1024;
const binCount = 1 + 40 * binsPerOctave;

/** What statistics hold, as JSON. */
export interface ErrorState {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly largest: number;
  /** null: nothing was added. */
  readonly smallest: number | null;
  /** Encoded whole numbers: of each bin that is not empty how many lie between it and the one before, and its errors. */
  readonly bins: string;
}

/**
 * Collects errors of any number in the memory of 320 KB: 8,400 frames of 20,000 scan points would fill gigabytes. Mean
 * and standard deviation are exact; median and percentiles come from a histogram with logarithmic bins, and are right to
 * 0.07 % of their value.
 */
export class ErrorStatistics {
  private readonly bins = new Float64Array(binCount);
  private count = 0;
  private sum = 0;
  private sumOfSquares = 0;
  private largest = 0;
  private smallest = Infinity;

  /**
   * @param errors mm, zero or more.
   * @throws RangeError for an error that is negative or not a number.
   */
  add(errors: ArrayLike<number>): void {
    for (let i = 0; i < errors.length; i++) {
      const error = errors[i]!;
      if (!(error >= 0 && error < Infinity)) throw new RangeError(`error ${i} is ${error}; expected 0 mm or more`);
      this.bins[binOf(error)]!++;
      this.sum += error;
      this.sumOfSquares += error * error;
      if (error > this.largest) this.largest = error;
      if (error < this.smallest) this.smallest = error;
    }
    this.count += errors.length;
  }

  /** All that was added, to be merged elsewhere. */
  state(): ErrorState {
    const { count, sum, sumOfSquares, largest, smallest } = this;
    const filled: number[] = [];
    let before = 0;
    for (let bin = 0; bin < binCount; bin++) {
      if (this.bins[bin] === 0) continue;
      filled.push(bin - before, this.bins[bin]!);
      before = bin;
    }
    return { count, sum, sumOfSquares, largest, smallest: count === 0 ? null : smallest, bins: encodeWholes(filled) };
  }

  /** Adds what others were added to. Counts and quantiles come out as if all had been added here; sums but for rounding. */
  merge({ count, sum, sumOfSquares, largest, smallest, bins }: ErrorState): void {
    this.count += count;
    this.sum += sum;
    this.sumOfSquares += sumOfSquares;
    this.largest = Math.max(this.largest, largest);
    this.smallest = Math.min(this.smallest, smallest ?? Infinity);
    const filled = decodeWholes(bins);
    let bin = 0;
    for (let i = 0; i + 1 < filled.length; i += 2) {
      bin += filled[i]!;
      if (bin >= binCount) throw new RangeError(`there is no bin ${bin}; there are ${binCount}`);
      this.bins[bin]! += filled[i + 1]!;
    }
  }

  /**
   * The error, mm, that a share of all stay within (linear between neighbouring errors, as NumPy's percentile).
   *
   * @param share in [0, 1]. @throws RangeError when nothing was added.
   */
  quantile(share: number): number {
    if (this.count === 0) throw new RangeError('no error was added');
    const position = share * (this.count - 1);
    const below = Math.floor(position);
    const low = this.orderStatistic(below);
    const value = position === below ? low : low + (position - below) * (this.orderStatistic(below + 1) - low);
    return Math.min(this.largest, Math.max(this.smallest, value));
  }

  /** @throws RangeError when nothing was added. */
  summary(): ErrorSummary {
    const median = this.quantile(0.5);
    const mean = this.sum / this.count;
    const variance = Math.max(0, this.sumOfSquares / this.count - mean * mean);
    return {
      count: this.count,
      median,
      mean,
      standardDeviation: Math.sqrt(variance),
      percentile90: this.quantile(0.9),
    };
  }

  private orderStatistic(rank: number): number {
    if (rank <= 0) return this.smallest;
    if (rank >= this.count - 1) return this.largest;
    let before = 0;
    let bin = 0;
    while (before + this.bins[bin]! <= rank) before += this.bins[bin++]!;
    const within = (rank - before + 0.5) / this.bins[bin]!;
    return bin === 0 ? least * within : least * 2 ** ((bin - 1 + within) / binsPerOctave);
  }
}

function binOf(error: number): number {
  if (error < least) return 0;
  return Math.min(binCount - 1, 1 + Math.floor(Math.log2(error / least) * binsPerOctave));
}
