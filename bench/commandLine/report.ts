import { seconds, table } from '../tables.js';
import type { CommandFigures } from './figures.js';

/** What the command line takes; Markdown. */
export function commandLineReport(figures: readonly CommandFigures[]): string {
  const rows = figures.map(({ command, processorSeconds, leastProcessorSeconds, wallSeconds, limitSeconds }) => [
    `\`${command}\``,
    seconds(processorSeconds),
    seconds(leastProcessorSeconds),
    limitSeconds === null ? '–' : seconds(limitSeconds),
    seconds(wallSeconds),
  ]);
  const head = ['command', 'processor time', 'the least', 'to stay below', 'wall'];
  const legend =
    'Medians; `list` and `status` beside a Temporal server with a run that no worker answers for (that is what `status` ' +
    'waits 5 s for). Processor time grows on a machine that does other things: compare with `node -e 0`.';
  return `## command line\n\n${table(head, rows)}\n\n${legend}\n`;
}
