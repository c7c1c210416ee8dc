import type { ErrorSummary, Evaluation } from '../../evaluation/types.js';
import { counted, escaped, table } from '../html.js';
import { cumulativeChart } from './cumulativeChart.js';

/** What an evaluation measured: by method, by part, by region, by subject, by sequence. */
export function errorTables(evaluation: Evaluation): string {
  const { leftOut } = evaluation;
  const first = leftOut[0]?.reason ?? '';
  return `<h2>Errors, mm</h2>
${methodTable(evaluation)}
${partsTable(evaluation)}
${farPointsNote(evaluation)}
${leftOut.length === 0 ? '' : `<p class="warning">${counted(leftOut.length, 'frame')} not in these figures; the first: ${escaped(first)}.</p>`}
<h2>Share of scan points within an error</h2>
${cumulativeChart(evaluation)}
${regionTable(evaluation)}
<h2>By subject and sequence</h2>
${subjectTable(evaluation)}
${sequenceTable(evaluation)}`;
}

function methodTable({ methods }: Evaluation): string {
  const rows = methods.map(({ method, pointToSurface, vertices }) => {
    return `<tr><th>${escaped(method)}${cells(pointToSurface)}${cells(vertices)}`;
  });
  const columns = '<th>median<th>mean<th>std<th>90 %';
  return table(
    `<tr><th>method<th colspan="4">point to surface<th colspan="4">vertices<tr><th>${columns}${columns}`,
    rows,
  );
}

function cells(summary: ErrorSummary | null): string {
  if (summary === null) return '<td>–<td>–<td>–<td>–';
  const { median, mean, standardDeviation, percentile90 } = summary;
  return [median, mean, standardDeviation, percentile90].map((value) => `<td>${value.toFixed(2)}`).join('');
}

/** What the errors of vertices consist of; empty without registrations. */
function partsTable({ methods }: Evaluation): string {
  const split = methods.filter(({ parts }) => parts);
  if (split.length === 0) return '';
  const rows = split.map(({ method, parts, aligned, acceleration }) => {
    const explained = parts?.expressionExplained;
    const figures = [parts?.pose, parts?.identity, parts?.expression].map((value) => value?.toFixed(2) ?? '–');
    const shares = [typeof explained === 'number' ? `${(100 * explained).toFixed(0)} %` : '–'];
    const after = [aligned?.pointToSurface.mean, aligned?.vertices.mean].map((value) => value?.toFixed(2) ?? '–');
    const cellsOf = [...figures, ...shares, ...after, acceleration?.toFixed(3) ?? '–'];
    return `<tr><th>${escaped(method)}${cellsOf.map((value) => `<td>${value}`).join('')}`;
  });
  const head =
    '<tr><th>vertices, root mean square<th>pose<th>identity<th>expression<th>expression explained<th>aligned: surface<th>aligned: vertices<th>jitter';
  return `<h2>What the errors are made of</h2>
${table(head, rows)}
<p class="note">Pose: what rigid alignment of each frame takes away. Identity: a subject's mean residual after it. Expression: the rest; of the true expression's displacement the share that is explained. Aligned: means after alignment. Jitter: mean acceleration of vertices, mm a frame².</p>`;
}

function farPointsNote({ farPoints }: Evaluation): string {
  if (!farPoints || farPoints.count === 0) return '';
  const { count, share, beyond } = farPoints;
  return `<p class="note">${count} scan points (${(100 * share).toFixed(2)} %) are more than ${beyond} mm from the head (hair, shoulders, noise), and in no figure.</p>`;
}

function regionTable({ regions, methods }: Evaluation): string {
  if (!regions || regions.length === 0) return '';
  const names = [...new Set(regions.map(({ region }) => region))];
  const rows = names.map((region) => {
    const means = methods.map(({ method }) => {
      const found = regions.find((row) => row.region === region && row.method === method);
      return `<td>${found?.pointToSurface.mean.toFixed(2) ?? '–'}`;
    });
    return `<tr><th>${escaped(region)}${means.join('')}`;
  });
  return `<h2>By region</h2>\n${table(`<tr><th>region${methodHeads(methods)}`, rows)}\n${meanNote}`;
}

function subjectTable({ methods, perFrame, subjects }: Evaluation): string {
  const rows = subjects.map((subject) => {
    const frames = perFrame.filter((row) => row.subject === subject);
    const means = methods.map(({ method }) => {
      const errors = frames.flatMap(({ pointToSurface }) => pointToSurface[method] ?? []);
      return `<td>${errors.length === 0 ? '–' : (errors.reduce((sum, error) => sum + error, 0) / errors.length).toFixed(2)}`;
    });
    return `<tr><th>${escaped(subject)}<td>${frames.length}${means.join('')}`;
  });
  return table(`<tr><th>subject<th>frames${methodHeads(methods)}`, rows);
}

function sequenceTable({ methods, perSequence }: Evaluation): string {
  const rows = perSequence.map(({ subject, sequence, frames, pointToSurface }) => {
    const means = methods.map(({ method }) => `<td>${pointToSurface[method]?.toFixed(2) ?? '–'}`).join('');
    return `<tr><th>${escaped(subject)}<th>${escaped(sequence)}<td>${frames}${means}`;
  });
  return `${table(`<tr><th>subject<th>sequence<th>frames${methodHeads(methods)}`, rows)}\n${meanNote}`;
}

const methodHeads = (methods: Evaluation['methods']): string =>
  methods.map(({ method }) => `<th>${escaped(method)}`).join('');

const meanNote = '<p class="note">Mean point-to-surface error.</p>';
