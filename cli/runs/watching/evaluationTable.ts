import type { ErrorSummary, Evaluation } from '../../../evaluation/types.js';
import { columns, styled } from '../../terminal/terminal.js';

/** What the table is made of: a run's evaluation, or the part of it that a workflow's result holds. */
export type TableContent = Pick<Evaluation, 'frames' | 'subjects' | 'methods' | 'farPoints'>;

const dim = (cells: readonly string[]): string[] => cells.map((cell) => styled('dim', cell));

/** An evaluation as tables of a terminal: errors by method, and what they consist of. */
export function evaluationTable(content: TableContent): string {
  const { frames, subjects } = content;
  const title = `Errors in mm on ${frames} test frames of ${subjects.length} ${subjects.length === 1 ? 'subject' : 'subjects'}:`;
  return [`${title}\n\n${errors(content)}`, parts(content), farPoints(content)].filter(Boolean).join('\n\n');
}

function errors({ methods }: TableContent): string {
  const figures = (summary: ErrorSummary | null | undefined): string[] =>
    summary ? [summary.median, summary.mean, summary.percentile90].map((value) => value.toFixed(2)) : ['–', '–', '–'];
  const hasAligned = methods.some(({ aligned }) => aligned);
  const rows = [
    dim(['', 'point to surface', '', '', 'vertices', '', '', ...(hasAligned ? ['aligned', ''] : [])]),
    dim(['method', 'median', 'mean', '90 %', 'median', 'mean', '90 %', ...(hasAligned ? ['surface', 'vertices'] : [])]),
    ...methods.map(({ method, pointToSurface, vertices, aligned }) => [
      method,
      ...figures(pointToSurface),
      ...figures(vertices),
      ...(hasAligned
        ? [aligned?.pointToSurface.mean, aligned?.vertices.mean].map((value) => value?.toFixed(2) ?? '')
        : []),
    ]),
  ];
  return columns(rows, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/** Empty where there are no registrations. */
function parts({ methods }: TableContent): string {
  const split = methods.filter((row) => row.parts);
  if (split.length === 0) return '';
  const trembles = split.some(({ acceleration }) => typeof acceleration === 'number');
  const rows = [
    dim(['vertices, root mean square', 'pose', 'identity', 'expression', 'explained', ...(trembles ? ['jitter'] : [])]),
    ...split.map(({ method, parts: of, acceleration }) => [
      method,
      ...[of?.pose, of?.identity, of?.expression].map((value) => value?.toFixed(2) ?? '–'),
      typeof of?.expressionExplained === 'number' ? `${(100 * of.expressionExplained).toFixed(0)} %` : '–',
      ...(trembles ? [acceleration?.toFixed(3) ?? '–'] : []),
    ]),
  ];
  return columns(rows, [1, 2, 3, 4, 5]);
}

function farPoints({ farPoints: far }: TableContent): string {
  if (!far || far.count === 0) return '';
  return styled(
    'dim',
    `${far.count} scan points (${(100 * far.share).toFixed(2)} %) are more than ${far.beyond} mm from the head, and in no figure.`,
  );
}
