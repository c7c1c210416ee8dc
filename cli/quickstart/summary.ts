import { methodNames } from '../../evaluation/types.js';
import { evaluationTable } from '../runs/watching/evaluationTable.js';
import { columns, styled, terminalWidth, visibleLength, wrapped } from '../terminal/terminal.js';
import { duration } from '../../text/duration.js';
import type { LastRun } from './lastRun.js';

/**
 * What a complete run came to, for the terminal: the table, how long it took, where to look.
 *
 * @param width columns of the terminal.
 */
export function summary(last: LastRun, servicesRun: boolean, width = terminalWidth()): string {
  const steps = last.steps.map(({ step, seconds, note }) => [
    `  ${step}`,
    seconds === null ? '' : duration(seconds),
    // The table says it better.
    step === 'evaluation' && last.evaluation !== null ? '' : (note ?? ''),
  ]);
  const parts = [
    last.evaluation === null ? '' : evaluationTable(last.evaluation, width),
    comparison(last),
    columns(steps, [1]),
    '',
    placeLines(places(last), width),
    '',
    servicesRun ? styled('bold', 'The services run until Ctrl-C.') : howToLook,
  ];
  return parts.map((part) => wrapped(part, width, part.startsWith('  ') ? 4 : 0)).join('\n');
}

/** A place beside its name; below it, where the terminal is too narrow: it is to be clicked or copied in one piece. */
function placeLines(rows: readonly (readonly string[])[], width: number): string {
  const lines = columns(rows).split('\n');
  if (lines.every((line) => visibleLength(line) <= width)) return lines.join('\n');
  return rows.map(([name, ...of]) => [name, ...of.map((place) => `  ${place}`)].join('\n')).join('\n');
}

/** What the models learnt beyond the head's pose, in words. */
function comparison({ evaluation }: LastRun): string {
  const methods = evaluation?.methods ?? [];
  const row = (name: string) => methods.find(({ method }) => method === name);
  const refined = row(methodNames.refinement);
  const known = row(methodNames.meanHeadPosed);
  if (!refined?.vertices || !known?.vertices) return '';
  const share = (a: number, b: number): string => (b > 0 ? (a / b).toFixed(2) : '–');
  const explained = refined.parts?.expressionExplained;
  const expression =
    typeof explained === 'number'
      ? `\n${(100 * explained).toFixed(0)} % of the displacement of expressions is explained.`
      : '';
  return (
    `\nBy the mean, refined heads have ${share(refined.vertices.mean, known.vertices.mean)} times the vertex error of the training set's mean head ` +
    `put at the true pose, and ${share(refined.pointToSurface.mean, known.pointToSurface.mean)} times its distance to the scans: below 1, shapes are learnt and not only places.${expression}\n`
  );
}

function places({ temporal, objectStore, events, report, run }: LastRun): string[][] {
  return [
    ['Temporal UI', temporal.workflowUrl],
    ['S3', `${objectStore.endpoint}  bucket ${objectStore.bucket}, runs/${run}/`],
    ['Curves', `npx tempeh-flow tensorboard`, events],
    ...(report === null ? [] : [['Report', report]]),
  ].map(([name, ...of]) => [`  ${name}`, ...of.map((place) => place ?? '')]);
}

const howToLook =
  'The services are stopped. npx tempeh-flow dev starts them again, to look at Temporal UI and bucket;\n' +
  'npm start -- --fresh trains anew; npm start -- --keep leaves the services running at its end.';
