import type { Evaluation } from '../../evaluation/types.js';
import { escaped } from '../html.js';

const lineColours = ['#3157c9', '#d6392c', '#2f9e63', '#b0791a', '#8a4fc0', '#64748b'];
/** Where there are more methods than colours, the second six are dashed, the third dotted. */
const strokes = [
  { dashes: '', border: 'solid' },
  { dashes: '7 4', border: 'dashed' },
  { dashes: '2 3', border: 'dotted' },
] as const;

function lineStyle(index: number): { readonly colour: string; readonly dashes: string; readonly border: string } {
  const stroke = strokes[Math.floor(index / lineColours.length) % strokes.length] ?? strokes[0];
  return { colour: lineColours[index % lineColours.length] ?? '#64748b', ...stroke };
}

/** Cumulative error curves: the horizontal axis is logarithmic, since the methods' errors differ by more than tenfold. */
export function cumulativeChart({ methods }: Pick<Evaluation, 'methods'>): string {
  // To the right, half of a label that ends there.
  const [width, height, left, right, bottom] = [640, 260, 64, 34, 34];
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
    const { colour, dashes } = lineStyle(i);
    return `<polyline points="${points.join(' ')}" stroke="${colour}"${dashes === '' ? '' : ` stroke-dasharray="${dashes}"`}/>`;
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
  const names = methods.map(({ method }, i) => {
    const { colour, border } = lineStyle(i);
    return `<li><i style="border-top-color:${colour};border-top-style:${border}"></i>${escaped(method)}`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="cumulative error curves">${ticks.join('')}${lines.join('')}</svg><ul class="names">${names.join('')}</ul>`;
}
