import { evaluationTable } from '../runs/evaluationTable.js';
import { columns, duration, styled } from '../terminal/terminal.js';
import type { LastRun } from './lastRun.js';

/** What a complete run came to, for the terminal: the table, how long it took, where to look. */
export function summary(last: LastRun, servicesRun: boolean): string {
  const steps = last.steps.map(({ step, seconds, note }) => [
    `  ${step}`,
    seconds === null ? '' : duration(seconds),
    // The table says it better.
    step === 'evaluation' ? '' : (note ?? ''),
  ]);
  return [
    evaluationTable(last.evaluation),
    comparison(last),
    columns(steps, [1]),
    '',
    columns(places(last)),
    '',
    servicesRun ? styled('bold', 'The services run until Ctrl-C.') : howToLook,
  ].join('\n');
}

/** How much better the models are than guesses, in words. */
function comparison({ evaluation: { methods } }: LastRun): string {
  const mean = (name: string): number | undefined =>
    methods.find(({ method }) => method.startsWith(name))?.pointToSurface.mean;
  const [coarse, refined, guess] = [mean('coarse'), mean('refinement'), mean("mean head at the volume's")];
  if (coarse === undefined || refined === undefined || guess === undefined) return '';
  const factor = guess / coarse;
  const times = factor >= 1 ? `${factor.toFixed(1)} times nearer to` : `${(1 / factor).toFixed(1)} times farther from`;
  const change = Math.abs(100 * (1 - refined / coarse)).toFixed(0);
  const verb = refined <= coarse ? 'lowers' : 'raises';
  return `\nBy the mean, the coarse model is ${times} the scans than the mean head at the volume's centre;\nrefinement ${verb} its error by ${change} %.\n`;
}

function places({ temporal, objectStore, events, report, run }: LastRun): string[][] {
  return [
    ['Temporal UI', temporal.workflowUrl],
    ['S3', `${objectStore.endpoint}  bucket ${objectStore.bucket}, runs/${run}/`],
    ['Curves', `npx tempeh-flow tensorboard  (${events})`],
    ['Report', report],
  ].map(([name, place]) => [`  ${name}`, place ?? '']);
}

const howToLook =
  'The services are stopped. npx tempeh-flow dev starts them again, to look at Temporal UI and bucket;\n' +
  'npm start -- --fresh trains anew; npm start -- --keep leaves the services running at its end.';
