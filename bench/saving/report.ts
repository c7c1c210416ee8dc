import { seconds, table } from '../tables.js';
import type { SavingFigures } from './figures.js';

/** How long saving takes; Markdown. */
export function savingReport(figures: SavingFigures): string {
  const { megabytes, megabytesPerSecond, stepSeconds, copy, alone, besideSteps, stop } = figures;
  const rate = (value: number): string => `${(megabytes / value).toFixed(0)} MB/s`;
  const rows = [
    ['the copy, which a step waits for', seconds(copy), rate(copy)],
    ['a save, until it counts', seconds(alone), rate(alone)],
    [`the same beside steps that block for ${stepSeconds} s`, seconds(besideSteps), rate(besideSteps)],
    ['told to stop: save and end', seconds(stop), rate(stop)],
  ];
  const title = `## saving (${megabytes} MB to a store of ${megabytesPerSecond} MB/s)`;
  return `${title}\n\n${table(['what', 'time', 'rate'], rows)}\n`;
}
