import { bytes } from '../cli/terminal/terminal.js';
import type { MeasureCase } from './cases.js';
import type { BenchResult, CaseFigures } from './figures.js';
import { phaseNames } from './phaseClock.js';
import { seconds, table } from './tables.js';

/** `, bfloat16, deterministic`; empty of what is usual. */
export const arithmeticOf = ({ precision, deterministic }: MeasureCase): string =>
  `${precision === 'float32' ? '' : `, ${precision}`}${deterministic ? ', deterministic' : ''}`;

const sizeOf = ({ name, scale, views, batch, vertices }: CaseFigures): string =>
  `${name}, ${scale} (${views} views, batch ${batch}, ${vertices} vertices)`;

const share = (value: number, of: number): string => `${((100 * value) / of).toFixed(0)} %`;

const titleOf = (figures: CaseFigures): string => `${sizeOf(figures)}${arithmeticOf(figures)}`;

/** The measurements of the networks as Markdown: a line each, then where each one's time goes. */
export function networkReport(results: readonly BenchResult[]): string {
  const compared = results.some(({ pytorch }) => pytorch !== null);
  const summary = table(
    [
      ...['case', 'time', "of the machine's rate", 'peak memory', 'tensors'],
      ...(compared ? ['PyTorch', 'variant', 'its memory', 'time, of PyTorch'] : []),
    ],
    results.map(({ ours, pytorch }) => [
      titleOf(ours),
      seconds(ours.seconds),
      share(ours.gigaOperations / ours.seconds, ours.machineRate),
      bytes(ours.peakBytes),
      bytes(ours.peakTensorBytes),
      ...(compared
        ? pytorch === null
          ? ['–', '–', '–', '–']
          : [
              seconds(pytorch.seconds),
              pytorch.variant,
              bytes(pytorch.peakBytes),
              (ours.seconds / pytorch.seconds).toFixed(2),
            ]
        : []),
    ]),
  );
  const torch = results.find(({ pytorch }) => pytorch !== null)?.pytorch?.torch;
  const legend =
    'Time is the median after a warm-up; peak memory that of the process above its loaded runtime, batch and parameters ' +
    'included; GFLOP counts convolutions and matrix products by their definition, without what is computed again; ' +
    "the machine's rate is that of a large matrix product in the same process." +
    (torch === undefined ? '' : ` PyTorch ${torch} runs bench/pytorch: the fastest of its variants counts.`);
  const costs = costsTable(results.map(({ ours }) => ours));
  return [
    summary,
    `\n${legend}\n`,
    ...(costs === null ? [] : [costs]),
    ...results.map(({ ours }) => phaseTable(ours)),
  ].join('\n');
}

/** What precision and determinism cost, against the first that was measured of a case; null where there was only one. */
function costsTable(figures: readonly CaseFigures[]): string | null {
  const groups = [...new Set(figures.map(sizeOf))]
    .map((size) => figures.filter((each) => sizeOf(each) === size))
    .filter(({ length }) => length > 1);
  if (groups.length === 0) return null;
  const rows = groups.flatMap((group) => {
    const [first] = group as [CaseFigures];
    return group.map((ours) => [
      titleOf(ours),
      share(ours.seconds, first.seconds),
      share(ours.peakBytes, first.peakBytes),
      share(ours.peakTensorBytes, first.peakTensorBytes),
      ours.predictionError === null ? '–' : `${ours.predictionError.toPrecision(2)} mm`,
    ]);
  });
  const head = ['case', 'time', 'peak memory', 'tensors', 'vertices moved'];
  const legend = 'Of the first of its case; vertices moved: root mean square, by networks as they are initialised.';
  return `## Precision and determinism\n\n${table(head, rows)}\n\n${legend}\n`;
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
        share(figures.seconds, ours.seconds),
        counted ? figures.gigaOperations.toPrecision(3) : '–',
        counted ? rate.toFixed(0) : '–',
        counted ? share(rate, ours.machineRate) : '–',
      ],
    ];
  });
  const head = ['phase', 'time', 'of the run', 'GFLOP', 'GFLOP/s', "of the machine's"];
  return `## ${titleOf(ours)}\n\nMachine: ${ours.machineRate.toFixed(0)} GFLOP/s.\n\n${table(head, rows)}\n`;
}
