import { bytes } from '../cli/terminal.js';
import type { BenchResult, CaseFigures } from './figures.js';
import { phaseNames } from './phaseClock.js';
import { seconds, table } from './tables.js';

const titleOf = ({ name, scale, views, batch, vertices }: CaseFigures): string =>
  `${name}, ${scale} (${views} views, batch ${batch}, ${vertices} vertices)`;

/** The measurements of the networks as Markdown: a line each, then where each one's time goes. */
export function networkReport(results: readonly BenchResult[]): string {
  const compared = results.some(({ pytorch }) => pytorch !== null);
  const summary = table(
    ['case', 'time', 'peak memory', 'tensors', ...(compared ? ['PyTorch', 'its memory', 'time, of PyTorch'] : [])],
    results.map(({ ours, pytorch }) => [
      titleOf(ours),
      seconds(ours.seconds),
      bytes(ours.peakBytes),
      bytes(ours.peakTensorBytes),
      ...(compared
        ? pytorch === null
          ? ['–', '–', '–']
          : [seconds(pytorch.seconds), bytes(pytorch.peakBytes), (ours.seconds / pytorch.seconds).toFixed(2)]
        : []),
    ]),
  );
  const torch = results.find(({ pytorch }) => pytorch !== null)?.pytorch?.torch;
  const legend =
    'Time is the median after a warm-up; peak memory that of the process above its loaded runtime, batch and parameters ' +
    'included; GFLOP counts convolutions and matrix products by their definition, without what is computed again; a ' +
    "phase's share is of the rate of a large matrix product in the same process." +
    (torch === undefined ? '' : ` PyTorch ${torch} runs bench/pytorch.`);
  return [summary, `\n${legend}\n`, ...results.map(({ ours }) => phaseTable(ours))].join('\n');
}

function phaseTable(ours: CaseFigures): string {
  const rows = phaseNames.flatMap((name) => {
    const figures = ours.phases[name];
    if (figures === undefined) return [];
    const rate = figures.gigaOperations / figures.seconds;
    const counted = figures.gigaOperations > 0;
    return [
      [
        name,
        seconds(figures.seconds),
        `${((100 * figures.seconds) / ours.seconds).toFixed(0)} %`,
        counted ? figures.gigaOperations.toPrecision(3) : '–',
        counted ? rate.toFixed(0) : '–',
        counted ? `${((100 * rate) / ours.machineRate).toFixed(0)} %` : '–',
      ],
    ];
  });
  const head = ['phase', 'time', 'of the run', 'GFLOP', 'GFLOP/s', "of the machine's"];
  return `## ${titleOf(ours)}\n\nMachine: ${ours.machineRate.toFixed(0)} GFLOP/s.\n\n${table(head, rows)}\n`;
}
