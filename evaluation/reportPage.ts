import { errorColours } from './colours.js';
import type { ErrorSummary, Evaluation } from './types.js';

/** A test frame's row of pictures. */
export interface FramePictures {
  readonly subject: string;
  readonly sequence: string;
  readonly frame: string;
  readonly pictures: readonly { readonly caption: string; readonly png: Uint8Array }[];
}

export interface ReportContent {
  readonly evaluation: Evaluation;
  readonly frames: readonly FramePictures[];
  /** The error that has the scale's last colour, mm. */
  readonly largestError: number;
  /** Of what the figures are; by default the test frames. */
  readonly about?: string;
}

/** The report: one page that needs nothing else, in the reader's light or dark colours. */
export function reportPage({ evaluation, frames, largestError, about }: ReportContent): string {
  const { run, methods, leftOut } = evaluation;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(run)} · tempeh-flow</title>
<style>${style}</style>
<main>
<h1>${escaped(run)}</h1>
<p>${escaped(about ?? `${counted(evaluation.frames, 'test frame')} of ${counted(evaluation.subjects.length, 'subject')}.`)} Errors in mm.</p>
<div class="scroll"><table>
<thead><tr><th>method<th colspan="4">point to surface<th colspan="4">vertices
<tr><th><th>median<th>mean<th>std<th>90 %<th>median<th>mean<th>std<th>90 %</thead>
<tbody>${methods
    .map(({ method, pointToSurface, vertices }) => {
      return `<tr><th>${escaped(method)}${cells(pointToSurface)}${cells(vertices)}`;
    })
    .join('\n')}</tbody>
</table></div>
${partsTable(evaluation)}
${farPointsNote(evaluation)}
${leftOut.length === 0 ? '' : `<p class="warning">${leftOut.length} test frames are not in these figures; the first: ${escaped(leftOut[0]!.reason)}.</p>`}
<h2>Share of scan points within an error</h2>
${cumulativeChart(evaluation)}
${regionTable(evaluation)}
<h2>By sequence</h2>
${sequenceTable(evaluation)}
${frames.length === 0 ? '' : `<h2>Test frames</h2>${legend(largestError)}${frames.map(frameRow).join('\n')}`}
</main>
</html>
`;
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
  return `<h2>What the errors are made of</h2>
<div class="scroll"><table><thead><tr><th>vertices, root mean square<th>pose<th>identity<th>expression<th>expression explained<th>aligned: surface<th>aligned: vertices<th>jitter</thead>
<tbody>${rows.join('\n')}</tbody></table></div>
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
  const heads = methods.map(({ method }) => `<th>${escaped(method)}`).join('');
  return `<h2>By region</h2>
<div class="scroll"><table><thead><tr><th>region${heads}</thead><tbody>${rows.join('\n')}</tbody></table></div>
<p class="note">Mean point-to-surface error.</p>`;
}

function sequenceTable({ methods, perSequence }: Evaluation): string {
  const rows = perSequence.map(({ subject, sequence, frames, pointToSurface }) => {
    const means = methods.map(({ method }) => `<td>${pointToSurface[method]?.toFixed(2) ?? '–'}`).join('');
    return `<tr><th>${escaped(subject)}<th>${escaped(sequence)}<td>${frames}${means}`;
  });
  const heads = methods.map(({ method }) => `<th>${escaped(method)}`).join('');
  return `<div class="scroll"><table><thead><tr><th>subject<th>sequence<th>frames${heads}</thead><tbody>${rows.join('\n')}</tbody></table></div>
<p class="note">Mean point-to-surface error.</p>`;
}

function frameRow({ subject, sequence, frame, pictures }: FramePictures): string {
  const figures = pictures.map(({ caption, png }) => {
    const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    return `<figure><img alt="${escaped(caption)}" src="${source}"><figcaption>${escaped(caption)}</figcaption></figure>`;
  });
  return `<h3>${escaped(`${subject} · ${sequence} · ${frame}`)}</h3><div class="row">${figures.join('')}</div>`;
}

function legend(largest: number): string {
  const stops = errorColours.map(([red, green, blue]) => `rgb(${red} ${green} ${blue})`).join(', ');
  return `<div class="legend"><span>0</span><i style="background:linear-gradient(90deg, ${stops})"></i><span>${largest.toFixed(1)} mm and more</span><b></b><span>no scan point near</span></div>`;
}

const lineColours = ['#3157c9', '#d6392c', '#2f9e63', '#b0791a', '#8a4fc0', '#64748b'];

/** Cumulative error curves: the horizontal axis is logarithmic, since the methods' errors differ by more than tenfold. */
export function cumulativeChart({ methods }: Pick<Evaluation, 'methods'>): string {
  // To the right, half of a label that ends there.
  const [width, height, left, right, bottom] = [640, 260, 46, 30, 34];
  const errors = methods.flatMap(({ pointToSurfaceQuantiles }) => pointToSurfaceQuantiles);
  const low = Math.log10(Math.max(1e-3, Math.min(...errors)));
  const high = Math.log10(Math.max(1e-2, Math.max(...errors)));
  const x = (error: number): number =>
    left + ((Math.log10(Math.max(1e-3, error)) - low) / Math.max(1e-6, high - low)) * (width - left - right);
  const y = (share: number): number => 10 + (1 - share) * (height - bottom - 10);
  const lines = methods.map(({ pointToSurfaceQuantiles }, i) => {
    const points = pointToSurfaceQuantiles.map((error, k) => {
      return `${x(error).toFixed(1)},${y((k + 1) / pointToSurfaceQuantiles.length).toFixed(1)}`;
    });
    return `<polyline points="${points.join(' ')}" stroke="${lineColours[i % lineColours.length]}"/>`;
  });
  const ticks: string[] = [];
  for (let power = Math.ceil(low); power <= high; power++) {
    const at = x(10 ** power).toFixed(1);
    ticks.push(`<line class="grid" x1="${at}" x2="${at}" y1="10" y2="${height - bottom}"/>`);
    ticks.push(`<text x="${at}" y="${height - 14}" text-anchor="middle">${10 ** power} mm</text>`);
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    ticks.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(share)}" y2="${y(share)}"/>`);
    ticks.push(`<text x="${left - 6}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`);
  }
  const names = methods.map(
    ({ method }, i) => `<li><i style="background:${lineColours[i % lineColours.length]}"></i>${escaped(method)}`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="cumulative error curves">${ticks.join('')}${lines.join('')}</svg><ul class="names">${names.join('')}</ul>`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
:root { color-scheme: light dark; --text: #1c2128; --quiet: #5b6472; --line: #d9dde3; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --quiet: #9aa4b2; --line: #343a44; --page: #16191e; } }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: .95rem; margin: 1.2rem 0 .3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; font-weight: normal; }
thead th { color: var(--quiet); } tbody th, thead th:first-child { text-align: left; }
.warning { border-left: 3px solid #d6392c; padding-left: .7rem; } .note, figcaption { color: var(--quiet); font-size: .85rem; }
svg { width: 100%; max-width: 40rem; } svg polyline { fill: none; stroke-width: 2; } svg .grid { stroke: var(--line); }
svg text { fill: var(--quiet); font-size: 11px; }
.names { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.names i { display: inline-block; width: 1rem; height: .25rem; margin-right: .4rem; vertical-align: middle; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; }
figure { margin: 0; } img { width: 100%; border-radius: 4px; display: block; }
.legend { display: flex; align-items: center; gap: .5rem; color: var(--quiet); font-size: .85rem; flex-wrap: wrap; }
.legend i { width: 12rem; height: .7rem; border-radius: 3px; } .legend b { width: 1rem; height: .7rem; background: rgb(128 130 134); margin-left: 1rem; }
`;
