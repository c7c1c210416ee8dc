import type { ComparedRun } from '../../../evaluation/series/readSeries.js';
import type { Measured } from '../../../evaluation/series/spread.js';
import { seriesTables } from '../../../evaluation/series/tables.js';
import { columns, styled } from '../../terminal/terminal.js';

/** The tables of a series for a terminal; empty while none of its runs is evaluated. */
export function seriesText(kind: 'seeds' | 'ablation', runs: readonly ComparedRun<Measured>[]): string {
  return seriesTables(kind, runs)
    .map(({ title, heads, rows, note }) => {
      const numbers = heads.map((_, i) => i).slice(1);
      const table = columns([heads.map((head) => styled('dim', head)), ...rows], numbers);
      return [`${title}:`, table, ...(note === '' ? [] : [styled('dim', note)])].join('\n\n');
    })
    .join('\n\n');
}
