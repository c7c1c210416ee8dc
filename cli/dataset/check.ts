import { checkDataset } from '../../datasets/inspect/checkDataset.js';
import type { DatasetReport, FrameTrouble } from '../../datasets/inspect/types.js';
import { frameName } from '../../datasets/layout.js';
import type { CheckArguments } from './arguments.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { bytes, columns, styled } from '../terminal/terminal.js';
import { findingLines } from './findingLines.js';
import { withInspection } from './openInspection.js';
import { print, printJson } from '../terminal/print.js';

/** Reasons that are shown; the others are in the JSON. */
const mostShown = 12;

/** Subjects that are named. */
const mostSubjects = 4;

/** Checks a data set and says what it found. @returns the exit code: 1 where it cannot be trained on. */
export async function check(options: CheckArguments): Promise<number> {
  if (!(Number.isInteger(options.sample) && options.sample >= 0)) {
    throw new CommandError(`--sample ${options.sample}: expected a number of frames, 0 or more.`, exitCodes.usage);
  }
  const report = await withInspection(options, (inspection, inspectOptions) =>
    checkDataset(inspection, options.all ? null : options.sample, inspectOptions),
  );
  if (options.json) printJson(report);
  else print(reportLines(report).join('\n'));
  return report.usable ? exitCodes.ok : exitCodes.failed;
}

function reportLines(report: DatasetReport): string[] {
  const { read, rigs } = report;
  const cameras = [...new Set(rigs.map((rig) => rig.cameras))].sort((a, b) => a - b).join(' to ');
  const rigLines = findingLines(
    rigs.map(({ subject, sequence, findings }) => ({ where: `${subject}/${sequence}`, findings })),
  );
  const worldLines = [
    ...findingLines(report.shared.map((finding) => ({ where: finding.file ?? '', findings: [finding] }))),
    ...findingLines(
      report.worlds.map(({ split, id, findings }) => ({ where: `${split} ${frameName(id)}`, findings })),
      'frames',
    ),
  ];
  const seen = `${rigs.length} sequence${rigs.length === 1 ? '' : 's'}`;
  return [
    styled('bold', report.description),
    '',
    ...table('subject', report.sequences, ({ subject }) => subject),
    '',
    ...table('sequence', report.sequences, ({ sequence }) => sequence),
    '',
    sizes(report),
    '',
    `Read whole: ${read.frames} of ${read.of} frames${read.frames < read.of ? ' (--all reads every one)' : ''}, ` +
      `${read.troubles.length === 0 ? 'all good' : `${read.troubles.length} damaged`}.`,
    ...troubleLines(read.troubles, 'red'),
    ...section(`Unusable frames: ${report.unusable.length}`, troubleLines(report.unusable, 'red')),
    ...section(
      `Frames without some of their views: ${report.incomplete.length}`,
      troubleLines(report.incomplete, 'yellow'),
    ),
    ...(rigs.length === 0
      ? []
      : [`Rig: ${cameras} cameras, seen in ${seen}, ${rigLines.length === 0 ? 'as it should be' : 'with findings'}.`]),
    ...rigLines,
    ...(read.frames === 0
      ? []
      : [`Units and worlds: ${worldLines.length === 0 ? 'as they should be' : 'with findings'}.`]),
    ...worldLines,
    ...report.familiar.map(
      ({ split, subjects }) =>
        `  ${styled('yellow', '!')} ${split}: ${some(subjects)} ${subjects.length === 1 ? 'is' : 'are'} trained on as well. ` +
        'Its errors do not show how well people are captured that the networks never saw.',
    ),
    '',
    ...(report.usable
      ? [styled('green', 'Usable.')]
      : [styled('red', 'Not usable:'), ...report.problems.map((problem) => `  ${problem}`)]),
  ];
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, mostSubjects).join(', ');
  return names.length > mostSubjects ? `${shown} and ${names.length - mostSubjects} more` : shown;
}

type Sequences = DatasetReport['sequences'];

/** Counts by subject, or by the sequences' names, of each split. */
function table(title: string, sequences: Sequences, keyOf: (count: Sequences[number]) => string): string[] {
  const other = title === 'subject' ? 'sequences' : 'subjects';
  const groups = new Map<
    string,
    { cells: string[]; others: number; frames: number; unusable: number; views: number[]; bytes: number }
  >();
  for (const count of sequences) {
    const cells = [count.split, keyOf(count)];
    const group = groups.get(cells.join()) ?? { cells, others: 0, frames: 0, unusable: 0, views: [], bytes: 0 };
    group.others++;
    group.frames += count.frames;
    group.unusable += count.unusable;
    if (count.frames > 0) group.views.push(...count.views);
    group.bytes += count.bytes;
    groups.set(cells.join(), group);
  }
  const rows = [...groups.values()].map(({ cells, others, frames, unusable, views, bytes: size }) => {
    const [fewest, most] = [Math.min(...views), Math.max(...views)];
    const range = views.length === 0 ? '–' : fewest === most ? `${most}` : `${fewest}–${most}`;
    return [...cells, `${others}`, `${frames}`, unusable === 0 ? '' : `${unusable}`, range, bytes(size)];
  });
  return columns([['split', title, other, 'frames', 'unusable', 'views', 'size'], ...rows], [2, 3, 4, 5, 6]).split(
    '\n',
  );
}

function sizes({ bytes: parts, vertexCount }: DatasetReport): string {
  const all = Object.values(parts).reduce((sum, size) => sum + size, 0);
  const listed = Object.entries(parts).map(([part, size]) => `${part} ${bytes(size)}`);
  return `${bytes(all)}: ${listed.join(', ')}. Meshes of ${vertexCount} vertices.`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}.`, ...lines];
}

function troubleLines(troubles: readonly FrameTrouble[], colour: 'red' | 'yellow'): string[] {
  const shown = troubles
    .slice(0, mostShown)
    .map(
      ({ split, id, reason }) =>
        `  ${styled(colour, colour === 'red' ? '✘' : '!')} ${split} ${frameName(id)}: ${reason}`,
    );
  const more = troubles.length - shown.length;
  return more > 0 ? [...shown, `  … and ${more} more (--json has all)`] : shown;
}
