import type { ErrorSummary, Evaluation } from '../../../evaluation/types.js';
import { columns, styled, visibleLength } from '../../terminal/terminal.js';

/** What the table is made of: a run's evaluation, or the part of it that a workflow's result holds. */
export type TableContent = Pick<Evaluation, 'frames' | 'subjects' | 'methods' | 'farPoints'>;

/** A table without form: its heads, and a row a method. */
interface PlainTable {
  /** Heads over several columns, which start where they stand; null: there are none. */
  readonly groups: readonly string[] | null;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const dim = (cells: readonly string[]): string[] => cells.map((cell) => styled('dim', cell));

/**
 * An evaluation as tables of a terminal: errors by method, and what they consist of.
 *
 * @param width columns of the terminal: where they are few, what matters least is left out.
 */
export function evaluationTable(content: TableContent, width = process.stdout.columns ?? Infinity): string {
  const tables = plainTables(content).map((table) => {
    const fewer = [table, without(table, /^aligned/), without(table, /^aligned|90 %/)].map(drawn);
    return fewer.find((text) => widthOf(text) <= width) ?? fewer.at(-1)!;
  });
  const far = farPoints(content);
  return [`${titleOf(content)}\n\n${tables[0]}`, ...tables.slice(1), ...(far === '' ? [] : [styled('dim', far)])].join(
    '\n\n',
  );
}

function drawn({ groups, heads, rows }: PlainTable): string {
  return columns([...(groups === null ? [] : [dim(groups)]), dim(heads), ...rows], [1, 2, 3, 4, 5, 6, 7, 8]);
}

const widthOf = (text: string): number => Math.max(...text.split('\n').map(visibleLength));

/** Each column's head with its group's before it. */
function wholeHeads({ groups, heads }: PlainTable): string[] {
  let group = '';
  return heads.map((head, i) => `${(group = groups?.[i] || group)} ${head}`.trim());
}

/** A table without the columns of a name. */
function without(table: PlainTable, name: RegExp): PlainTable {
  const { groups, heads, rows } = table;
  const names = wholeHeads(table);
  const kept = <T>(cells: readonly T[]): T[] => cells.filter((_, i) => !name.test(names[i] ?? ''));
  return { groups: groups && kept(groups), heads: kept(heads), rows: rows.map(kept) };
}

/** The same in Markdown, for TensorBoard. */
export function evaluationMarkdown(content: TableContent): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const tables = plainTables(content).map((table) => {
    // Markdown has no heads over several columns.
    const { heads, rows } = table;
    return [row(wholeHeads(table)), row(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
  });
  return [titleOf(content), ...tables, farPoints(content)].filter(Boolean).join('\n\n');
}

function titleOf({ frames, subjects }: TableContent): string {
  return `Errors in mm on ${frames} test frames of ${subjects.length} ${subjects.length === 1 ? 'subject' : 'subjects'}:`;
}

/** Errors by method; what those of vertices consist of, where there are registrations. */
function plainTables(content: TableContent): PlainTable[] {
  return [errors(content), parts(content)].filter((table) => table !== null);
}

function errors({ methods }: TableContent): PlainTable {
  const figures = (summary: ErrorSummary | null | undefined): string[] =>
    summary ? [summary.median, summary.mean, summary.percentile90].map((value) => value.toFixed(2)) : ['–', '–', '–'];
  const hasAligned = methods.some(({ aligned }) => aligned);
  return {
    groups: ['', 'point to surface', '', '', 'vertices', '', '', ...(hasAligned ? ['aligned', ''] : [])],
    heads: [
      'method',
      'median',
      'mean',
      '90 %',
      'median',
      'mean',
      '90 %',
      ...(hasAligned ? ['surface', 'vertices'] : []),
    ],
    rows: methods.map(({ method, pointToSurface, vertices, aligned }) => [
      method,
      ...figures(pointToSurface),
      ...figures(vertices),
      ...(hasAligned
        ? [aligned?.pointToSurface.mean, aligned?.vertices.mean].map((value) => value?.toFixed(2) ?? '')
        : []),
    ]),
  };
}

function parts({ methods }: TableContent): PlainTable | null {
  const split = methods.filter((row) => row.parts);
  if (split.length === 0) return null;
  const trembles = split.some(({ acceleration }) => typeof acceleration === 'number');
  return {
    groups: null,
    heads: [
      'vertices, root mean square',
      ...['pose', 'identity', 'expression', 'explained'],
      ...(trembles ? ['jitter'] : []),
    ],
    rows: split.map(({ method, parts: of, acceleration }) => [
      method,
      ...[of?.pose, of?.identity, of?.expression].map((value) => value?.toFixed(2) ?? '–'),
      typeof of?.expressionExplained === 'number' ? `${(100 * of.expressionExplained).toFixed(0)} %` : '–',
      ...(trembles ? [acceleration?.toFixed(3) ?? '–'] : []),
    ]),
  };
}

function farPoints({ farPoints: far }: TableContent): string {
  if (!far || far.count === 0) return '';
  return `${far.count} scan points (${(100 * far.share).toFixed(2)} %) are more than ${far.beyond} mm from the head, and in no figure.`;
}
