import { percentiles, type Measurement, type Summary } from './types.js';

/** The figures as CSV files by name, errors in mm. */
export function tables({ methods, regions, sequences, perFrame }: Measurement): Record<string, string> {
  return {
    'methods.csv': csv(
      ['method'],
      methods.map((row) => [[row.method], row.pointToSurface]),
    ),
    'regions.csv': csv(
      ['region', 'method'],
      regions.map((row) => [[row.region, row.method], row.pointToSurface]),
    ),
    'sequences.csv': csv(
      ['subject', 'sequence', 'frames', 'method'],
      sequences.map((row) => [[row.subject, row.sequence, String(row.frames), row.method], row.pointToSurface]),
    ),
    'frames.csv': csv(
      ['subject', 'sequence', 'frame', 'method'],
      perFrame.map((row) => [[row.subject, row.sequence, row.frame, row.method], row.pointToSurface]),
    ),
    'cumulative.csv': lines([
      ['share', ...methods.map(({ method }) => method)],
      ...Array.from({ length: 100 }, (_, i) => [
        String((i + 1) / 100),
        ...methods.map(({ cumulative }) => digits(cumulative[i] ?? NaN)),
      ]),
    ]),
  };
}

function csv(names: readonly string[], rows: readonly (readonly [readonly string[], Summary])[]): string {
  const figures = ['points', 'median', 'mean', 'standard_deviation', 'largest', ...percentiles.map((p) => `p${p}`)];
  return lines([
    [...names, ...figures],
    ...rows.map(([keys, { count, median, mean, standardDeviation, largest, percentiles: shares }]) => [
      ...keys,
      String(count),
      ...[median, mean, standardDeviation, largest, ...percentiles.map((p) => shares[p] ?? NaN)].map(digits),
    ]),
  ]);
}

function lines(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** RFC 4180. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}
