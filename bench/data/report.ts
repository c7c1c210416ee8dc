import type { BenchResult } from '../figures.js';
import { seconds, table } from '../tables.js';
import {
  readerStates,
  type DataPathFigures,
  type LoaderMemoryFigures,
  type ReaderFigures,
  type ReaderResult,
} from './figures.js';

const stepOf = { 'coarse-finetuning': 'coarse-step', refinement: 'refinement-step' } as const;

/** How fast batches come, beside what a step of the miniature takes; Markdown. */
export function readerReport({ views, readers }: ReaderResult, steps: readonly BenchResult[]): string {
  const stepSeconds = ({ stage }: ReaderFigures): number | null =>
    steps.find(({ ours }) => ours.name === stepOf[stage] && ours.scale === 'miniature')?.ours.seconds ?? null;
  const rows = readers.map((reader) => {
    const step = stepSeconds(reader);
    return [
      `${reader.stage}: ${readerStates[reader.state]}`,
      seconds(reader.secondsPerBatch),
      seconds(reader.processorSecondsPerSample),
      step === null ? '–' : seconds(step),
      step === null ? '–' : (step / reader.secondsPerBatch).toPrecision(3),
    ];
  });
  const { threads = 0, batchSize = 0, batches = 0 } = readers[0] ?? {};
  const head = ['reader', 'a batch', 'processor time a sample', 'a step', 'times as fast as the step'];
  const legend =
    `Training batches of ${batchSize} as fast as they come on ${threads} threads with nothing beside, ${batches} an epoch; ` +
    'a step is one with such a batch, of the same bench.';
  return `## reader, miniature (${views} views)\n\n${table(head, rows)}\n\n${legend}\n`;
}

/** What the data path takes beside the same by hand; Markdown. */
export function dataPathReport({ gigabytes, frames, rounds, steps }: DataPathFigures): string {
  const row = (step: string, byHand: string, hand: number, ours: number): string[] => [
    step,
    byHand,
    seconds(hand),
    seconds(ours),
    (ours / hand).toFixed(2),
  ];
  const sum = (of: 'secondsByHand' | 'seconds'): number => steps.reduce((total, step) => total + step[of], 0);
  const rows = steps.map((step) => row(step.step, step.byHand, step.secondsByHand, step.seconds));
  rows.push(row('all', '', sum('secondsByHand'), sum('seconds')));
  const head = ['step', 'by hand', 'by hand, time', 'ours', 'ours / by hand'];
  const title = `## data path (${gigabytes.toFixed(1)} GB, ${frames} frames of 16 views of FaMoS's size; best of ${rounds})`;
  return `${title}\n\n${table(head, rows)}\n`;
}

/** What a loader thread takes, from processes with more and more of them; Markdown. */
export function loaderMemoryReport(figures: readonly LoaderMemoryFigures[]): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const stages = [...new Set(figures.map(({ stage }) => stage))];
  const rows = stages.map((stage) => {
    const own = figures.filter((row) => row.stage === stage);
    const [least, most] = [own[0]!, own.at(-1)!];
    const byThread = (most.bytes - least.bytes) / Math.max(1, most.threads - least.threads);
    return [stage, ...own.map(({ bytes }) => megabytes(bytes)), megabytes(byThread), megabytes(least.batchBytes)];
  });
  const threads = [...new Set(figures.map((row) => row.threads))];
  const head = ['MB', ...threads.map((count) => `${count} threads`), 'a thread', "a batch's images"];
  const legend = `Peak of the process above what it had before, ${figures[0]?.prefetch ?? 0} batches prepared ahead; no decoded frames kept.`;
  return `## loader threads, published size (16 views)\n\n${table(head, rows)}\n\n${legend}\n`;
}
