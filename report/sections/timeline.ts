import { duration } from '../../text/duration.js';
import { escaped, table } from '../html.js';
import { attemptRows, type AttemptRow } from '../history/attemptRows.js';
import type { Attempt, RunHistory } from '../history/readHistory.js';
import type { LoggedAttempt } from '../history/readLogged.js';

const [width, rowHeight, left] = [640, 34, 112];
/** Attempts in the table, at most: the last ones. */
const attemptsListed = 40;

export interface TimelineOptions {
  /** What the logs say of attempts. */
  readonly logged?: readonly LoggedAttempt[];
  /** Of an hour of one GPU; null: no costs are shown. */
  readonly gpuPrice?: number | null;
}

/** When which attempt trained, why it ended, what it cost, and the models that came of it. */
export function timeline(
  { attempts, models, problems }: RunHistory,
  { logged = [], gpuPrice = null }: TimelineOptions = {},
): string {
  const all = attemptRows(attempts, logged);
  if (attempts.length === 0) return all.length === 0 ? '' : `<h2>Training</h2>${attemptTable(all)}`;
  const seconds = attempts.reduce((sum, { from, to }) => sum + to - from, 0);
  const from = Math.min(...attempts.map((attempt) => attempt.from));
  const to = Math.max(...attempts.map((attempt) => attempt.to));
  return `<h2>Training</h2>
<p>${duration(seconds)} of training in ${duration(to - from)}, by ${attempts.length} ${attempts.length === 1 ? 'attempt' : 'attempts'}. What was trained in vain, after the last checkpoint before an interruption, is not counted.${moneyOf(seconds, gpuPrice)}</p>
${chart(attempts, from, to)}
${attemptTable(all)}
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

function attemptTable(all: readonly AttemptRow[]): string {
  const listed = all.slice(-attemptsListed);
  const left = all.length - listed.length;
  const rows = listed.map(
    ({ step, number, from, fromStep, toStep, seconds, worker, end }) =>
      `<tr><th>${escaped(step)}<td>${number}<td>${fromStep ?? '–'}<td>${toStep ?? '–'}<td class="text date">${time(from)}<td>${seconds === null ? '–' : duration(seconds)}<td class="text">${escaped(worker ?? '–')}<td class="text">${escaped(end ?? '–')}`,
  );
  return `<details><summary>Attempts${left > 0 ? ` (the last ${listed.length} of ${all.length})` : ''}</summary>
${table('<tr><th>step<th>attempt<th>from step<th>to step<th class="text">begun (UTC)<th>trained<th class="text">worker<th class="text">why it ended', rows)}</details>`;
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
