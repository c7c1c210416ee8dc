import { describeRun, type RunDescription } from '../../client/runs/describeRun.js';
import { withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { exitCodes } from '../exitCodes.js';
import { attemptLines } from './watching/attemptLines.js';
import { failureText } from './watching/failureText.js';
import { outcomeOf } from './watching/outcome.js';
import { outlookBasis, secondsLeft, type OutlookBasis } from './watching/outlook.js';
import { descriptionLines } from './watching/seriesLines.js';
import { duration } from '../../text/duration.js';
import { followAsJson, followToEnd } from './watching/watch.js';
import { print, printJson } from '../terminal/print.js';
import { terminalWidth, wrapped } from '../terminal/terminal.js';

export interface StatusOptions extends ConnectionOptions {
  readonly run: string;
  readonly json: boolean;
  readonly follow: boolean;
}

/** Shows a run. @returns the exit code: with `--follow` that of the run's end, else 0. */
export async function status({ run, json, follow, ...connection }: StatusOptions): Promise<number> {
  return withTemporal(connection, async (connected) => {
    if (follow) {
      const watch = json ? followAsJson : followToEnd;
      return watch(connected, run, { endWithoutReader: true });
    }
    const description = await describeRun(connected.client, run);
    // Two questions more, where the answer tells when it will be done.
    const basis = description.progress?.training ? await outlookBasis(connected.client, run) : null;
    if (json) printJson({ ...description, secondsLeft: basis === null ? null : secondsLeft(description, basis) });
    else print(wrapped(await statusText(connected, description, basis), terminalWidth(), 4));
    return exitCodes.ok;
  });
}

async function statusText(
  connected: Connected,
  description: RunDescription,
  basis: OutlookBasis | null,
): Promise<string> {
  const { run, workflowId, status: name, startedAt, closedAt, failure } = description;
  const seconds = ((closedAt ?? new Date()).getTime() - startedAt.getTime()) / 1000;
  const page = connected.pageOf(workflowId);
  const isPaused = name === 'RUNNING' && (description.progress ?? description.recorded)?.paused === true;
  const lines = [
    `${run}: ${isPaused ? 'paused' : name.toLowerCase()}, ${duration(seconds)}`,
    ...(page === null ? [] : [`  ${page}`]),
    '',
  ];
  // Of a run that has ended, and of whose steps nobody says anything, the first line and the table are shown.
  const { progress, recorded = null, members = [] } = description;
  const isKnown = (progress ?? recorded) !== null || members.length > 0;
  if (name === 'RUNNING' || isKnown) lines.push(...descriptionLines(description, Date.now(), basis));
  const attempts = attemptLines(description);
  if (attempts.length > 0) lines.push('', ...attempts);
  if (failure !== null) lines.push('', failureText(description));
  const { text } = await outcomeOf(connected.client, description);
  return [...lines, ...(text === '' ? [] : ['', text])].join('\n');
}
