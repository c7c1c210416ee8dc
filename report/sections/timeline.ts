import { duration } from '../../text/duration.js';
import { escaped, table } from '../html.js';
import type { Attempt, RunHistory } from '../history/readHistory.js';

const [width, rowHeight, left] = [640, 34, 112];
/** Attempts in the table, at most: the last ones. */
const attemptsListed = 40;

/**
 * When which attempt trained, what it cost, and the models that came of it.
 *
 * @param gpuPrice of an hour of one GPU; null: no costs are shown.
 */
export function timeline({ attempts, models, problems }: RunHistory, gpuPrice: number | null = null): string {
  if (attempts.length === 0) return '';
  const seconds = attempts.reduce((sum, { from, to }) => sum + to - from, 0);
  const from = Math.min(...attempts.map((attempt) => attempt.from));
  const to = Math.max(...attempts.map((attempt) => attempt.to));
  const listed = attempts.slice(-attemptsListed);
  const numberOf = (attempt: Attempt): number =>
    attempts.filter(({ stage }) => stage === attempt.stage).indexOf(attempt) + 1;
  const rows = listed.map(
    (attempt) =>
      `<tr><th>${escaped(attempt.stage)}<td title="${escaped(attempt.attempt)}">${numberOf(attempt)}<td>${attempt.fromStep}<td>${attempt.toStep}<td class="text">${time(attempt.from)}<td>${duration(attempt.to - attempt.from)}`,
  );
  const left = attempts.length - listed.length;
  return `<h2>Training</h2>
<p>${duration(seconds)} of training in ${duration(to - from)}, by ${attempts.length} ${attempts.length === 1 ? 'attempt' : 'attempts'}. What was trained in vain, after the last checkpoint before an interruption, is not counted.${moneyOf(seconds, gpuPrice)}</p>
${chart(attempts, from, to)}
<details><summary>Attempts${left > 0 ? ` (the last ${listed.length} of ${attempts.length})` : ''}</summary>
${table('<tr><th>stage<th>attempt<th>from step<th>to step<th class="text">begun (UTC)<th>trained', rows)}</details>
<details><summary>Models</summary>
${table(
  '<tr><th>stage<th>step<th class="text">at<th class="text">SHA-256 of the weights',
  models.map(
    ({ stage, step, at, sha256 }) =>
      `<tr><th>${escaped(stage)}<td>${step}<td class="text">${escaped(at)}<td class="text"><code>${sha256 ?? 'it trains'}</code>`,
  ),
)}</details>
${problems.map((problem) => `<p class="warning">Not in the curves: ${escaped(problem)}</p>`).join('\n')}`;
}

function moneyOf(seconds: number, gpuPrice: number | null): string {
  const hours = seconds / 3600;
  return gpuPrice === null
    ? ''
    : ` ${hours.toFixed(hours < 10 ? 2 : 0)} GPU hours at ${gpuPrice} an hour: ${(hours * gpuPrice).toFixed(2)}.`;
}

/** A bar an attempt, a row a stage; gaps are waits. */
function chart(attempts: readonly Attempt[], from: number, to: number): string {
  const stages = [...new Set(attempts.map(({ stage }) => stage))];
  const x = (at: number): number => left + ((at - from) / Math.max(1, to - from)) * (width - left - 10);
  const bars = attempts.map(({ stage, from: begun, to: ended, fromStep, toStep, attempt }) => {
    const y = stages.indexOf(stage) * rowHeight + 6;
    const long = Math.max(2, x(ended) - x(begun) - 1);
    const title = `${attempt}: steps ${fromStep} to ${toStep}, ${duration(ended - begun)}`;
    return `<rect x="${x(begun).toFixed(1)}" y="${y}" width="${long.toFixed(1)}" height="${rowHeight - 14}" rx="2"><title>${escaped(title)}</title></rect>`;
  });
  const names = stages.map((stage, i) => `<text x="0" y="${i * rowHeight + 20}">${escaped(stage)}</text>`);
  const height = stages.length * rowHeight + 22;
  const marks = [0, 0.5, 1].map((share) => {
    const at = from + share * (to - from);
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text x="${x(at).toFixed(1)}" y="${height - 4}" text-anchor="${anchor}">${time(at)}</text>`;
  });
  return `<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="when which attempt trained">${bars.join('')}${names.join('')}${marks.join('')}</svg>`;
}

const time = (seconds: number): string => new Date(1000 * seconds).toISOString().slice(0, 16).replace('T', ' ');
