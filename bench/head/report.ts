import { seconds, table } from '../tables.js';
import type { HeadResult } from './figures.js';

/** Markdown. */
export function headReport({ figures, gigaOperations, machineRate }: HeadResult): string {
  const rows = figures.map(({ way, forward, backward }) => [
    way,
    seconds(forward),
    seconds(backward),
    `${((100 * gigaOperations) / (forward + backward) / machineRate).toFixed(0)} %`,
  ]);
  const legend =
    `The coarse head of two samples at paper scale, best rounds; ${gigaOperations.toFixed(0)} GFLOP, without what is ` +
    `computed again; the machine's rate is ${machineRate.toFixed(0)} GFLOP/s.`;
  return `## Coarse head\n\n${table(['by', 'forward', 'backward', "of the machine's rate"], rows)}\n\n${legend}\n`;
}
