import { methodNames } from '../types.js';
import type { ComparedRun, StoredSeries } from './readSeries.js';
import { spreads, type Measured, type Spread } from './spread.js';

/** A table of text: a title, heads, rows, and a line below. */
export interface SeriesTable {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note: string;
}

const none = '–';
const millimetres = (value: number | undefined): string => value?.toFixed(2) ?? none;
const percent = (share: number | null | undefined): string =>
  typeof share === 'number' ? `${(100 * share).toFixed(0)} %` : none;

/** The tables of a series: of repeats mean and spread by method; then its runs beside each other. None while nothing is measured. */
export function seriesTables(
  kind: StoredSeries['kind'],
  runs: readonly ComparedRun<Measured>[],
): readonly SeriesTable[] {
  if (runs.every(({ evaluation }) => evaluation === null)) return [];
  return kind === 'seeds' ? [...spreadTable(runs), runsTable(kind, runs)] : [runsTable(kind, runs)];
}

function spreadTable(runs: readonly ComparedRun<Measured>[]): SeriesTable[] {
  const found = spreads(runs);
  if (found.length === 0) return [];
  const measured = runs.filter(({ evaluation }) => evaluation !== null).length;
  const text = (spread: Spread | undefined): string =>
    spread === undefined ? none : `${spread.mean.toFixed(2)} ± ${spread.standardDeviation.toFixed(2)}`;
  const share = (spread: Spread | null): string =>
    spread === null ? none : `${(100 * spread.mean).toFixed(0)} ± ${(100 * spread.standardDeviation).toFixed(0)} %`;
  return [
    {
      title: `Errors in mm, mean and spread of ${measured} runs`,
      heads: ['method', 'surface: median', 'mean', '90 %', 'vertices: median', 'mean', '90 %', 'explained'],
      rows: found.map(({ method, pointToSurface, vertices, expressionExplained }) => [
        method,
        ...[pointToSurface.median, pointToSurface.mean, pointToSurface.percentile90].map(text),
        ...[vertices?.median, vertices?.mean, vertices?.percentile90].map(text),
        share(expressionExplained),
      ]),
      note: '± is the standard deviation of the runs (n − 1). Explained: of the true expression’s displacement.',
    },
  ];
}

function runsTable(kind: StoredSeries['kind'], runs: readonly ComparedRun<Measured>[]): SeriesTable {
  const row = (run: ComparedRun<Measured> | undefined, name: string) =>
    run?.evaluation?.methods.find(({ method }) => method === name);
  const reference = row(runs[0], methodNames.refinement)?.vertices?.mean;
  const change = (mean: number | undefined): string => {
    if (mean === undefined || reference === undefined) return none;
    const share = 100 * (mean / reference - 1);
    return `${share < 0 ? '−' : '+'}${Math.abs(share).toFixed(0)} %`;
  };
  const isAblation = kind === 'ablation';
  return {
    title: isAblation ? 'What each part is good for: errors in mm' : 'Run by run: errors in mm',
    heads: [
      'run',
      'coarse: surface, mean',
      'vertices, mean',
      'refined: surface, median',
      'mean',
      '90 %',
      'vertices, mean',
      'explained',
      ...(isAblation ? ['vertices, change'] : []),
    ],
    rows: runs.map((run, i) => {
      const coarse = row(run, methodNames.coarse);
      const refined = row(run, methodNames.refinement);
      return [
        run.label,
        millimetres(coarse?.pointToSurface.mean),
        millimetres(coarse?.vertices?.mean),
        millimetres(refined?.pointToSurface.median),
        millimetres(refined?.pointToSurface.mean),
        millimetres(refined?.pointToSurface.percentile90),
        millimetres(refined?.vertices?.mean),
        percent(refined?.parts?.expressionExplained),
        ...(isAblation ? [i === 0 ? '' : change(refined?.vertices?.mean)] : []),
      ];
    }),
    note: isAblation ? 'Change: of the refined vertices’ mean error, from the first row’s.' : '',
  };
}
