import type { EvaluationSummary } from '../../activities/types.js';
import type { ErrorSummary } from '../../evaluation/types.js';
import { columns, styled } from '../terminal/terminal.js';

/** The evaluation as a table of a terminal. */
export function evaluationTable({ frames, subjects, methods }: EvaluationSummary): string {
  const figures = (summary: ErrorSummary | null): string[] =>
    summary === null
      ? ['–', '–', '–']
      : [summary.median, summary.mean, summary.percentile90].map((value) => value.toFixed(2));
  const rows = [
    ['', 'point to surface', '', '', 'vertices', '', ''].map((cell) => styled('dim', cell)),
    ['method', 'median', 'mean', '90 %', 'median', 'mean', '90 %'].map((cell) => styled('dim', cell)),
    ...methods.map(({ method, pointToSurface, vertices }) => [
      method,
      ...figures(pointToSurface),
      ...figures(vertices),
    ]),
  ];
  const title = `Errors in mm on ${frames} test frames of ${subjects.length} ${subjects.length === 1 ? 'subject' : 'subjects'}:`;
  return `${title}\n\n${columns(rows, [1, 2, 3, 4, 5, 6])}`;
}
