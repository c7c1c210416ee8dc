import { table } from '../tables.js';
import { lossStates, type LossesCase, type LossesFigures, type LossesResult } from './figures.js';

const rounds = 3;

/**
 * Measures the losses with one thread and with some, each in a process of its own, one after another and again; beside the
 * build of another commit, if one is given.
 *
 * @param measure runs `measureLosses.js`.
 * @returns of each the best round.
 */
export async function compareLosses(
  own: string,
  against: string | undefined,
  threads: number,
  measure: (measured: LossesCase) => Promise<readonly LossesFigures[]>,
): Promise<readonly LossesResult[]> {
  const cases: LossesCase[] = [
    ...(against === undefined ? [] : [{ build: against, threads: 1 }]),
    { build: own, threads: 1 },
    ...(threads > 1 ? [{ build: own, threads }] : []),
  ];
  const found = new Map<LossesCase, readonly LossesFigures[]>();
  for (let round = 0; round < rounds; round++) {
    for (const measured of cases) {
      const figures = await measure(measured);
      const before = found.get(measured);
      found.set(measured, before ? figures.map((each, i) => best(each, before[i]!)) : figures);
    }
  }
  return cases.map((measured) => ({ ...measured, figures: found.get(measured)! }));
}

function best(one: LossesFigures, other: LossesFigures): LossesFigures {
  if (one.sha256 !== other.sha256) throw new Error(`The losses (${one.state}) have other bits in another process.`);
  return { ...one, wall: Math.min(one.wall, other.wall), processor: Math.min(one.processor, other.processor) };
}

/** Markdown. Ratios are those to the first. */
export function lossesReport(results: readonly LossesResult[], against: string | undefined): string {
  const [first] = results as [LossesResult];
  const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
  const rows = lossStates.flatMap((state, index) =>
    results.map(({ build, threads, figures }) => {
      const [own, reference] = [figures[index]!, first.figures[index]!];
      return [
        `${state}, ${build === against ? build : 'this build'}, ${threads} thread${threads > 1 ? 's' : ''}`,
        milliseconds(own.wall),
        (own.wall / reference.wall).toFixed(2),
        milliseconds(own.processor),
        (own.processor / reference.processor).toFixed(2),
        own.sha256 === reference.sha256 ? 'the same' : 'OTHERS',
      ];
    }),
  );
  const head = ['prediction', 'time', 'of the first', 'processor time', 'of the first', 'bits'];
  const legend =
    `A batch of two samples at paper scale (5023 vertices, 20,000 scan points each), with its gradient; the best median of ` +
    `${rounds} processes.`;
  return `## losses\n\n${table(head, rows)}\n\n${legend}\n`;
}
