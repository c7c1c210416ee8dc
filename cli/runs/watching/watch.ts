import { failureText } from './failureText.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeRun, type RunDescription } from '../../../client/runs/describeRun.js';
import { lostOutput } from '../../../workers/lifecycle/lostReaders.js';
import { listenForStop } from '../../../workers/lifecycle/stopRequest.js';
import type { Connected } from '../../connection.js';
import { exitCodes, type ExitCode } from '../../exitCodes.js';
import { followRun } from './followRun.js';
import { outcomeOf, type Outcome } from './outcome.js';
import { answersInJson, print, printJson } from '../../terminal/print.js';

/** Seconds between two lines of JSON. */
const jsonSeconds = 5;

/** How a command watches. */
export interface WatchOptions {
  /** Nobody reads it any more: a command that does nothing but show has no reason to go on then. */
  readonly endWithoutReader?: boolean;
  /** Frames that could not be predicted are no failure of the command. */
  readonly allowFailures?: boolean;
}

/** Watches a run until it ends, as a line of JSON a look where a program reads; a signal ends the watching only. @returns the exit code that its end means. */
export function followToEnd(connected: Connected, run: string, options: WatchOptions = {}): Promise<ExitCode> {
  if (answersInJson()) return followAsJson(connected, run, options);
  return watching(options, async (signal) => {
    const description = await followRun({ ask: connected.ask, run, signal });
    if (description === null || description.status === 'RUNNING') {
      print(`\n${run} goes on: tempeh-flow status ${run} --follow`);
      return exitCodes.interrupted;
    }
    if (description.failure !== null) print(`\n${failureText(description)}`);
    const outcome = await connected.ask((client) => outcomeOf(client, description), signal);
    if (outcome === null) return exitCodes.interrupted;
    if (outcome.text !== '') print(`\n${outcome.text}`);
    return exitCodeOf(description, outcome, options);
  });
}

/** As `followToEnd`, a line of JSON for each look. */
export function followAsJson({ ask }: Connected, run: string, options: WatchOptions = {}): Promise<ExitCode> {
  return watching(options, async (signal) => {
    for (;;) {
      const description = await ask((client) => describeRun(client, run), signal);
      if (description === null) return exitCodes.interrupted;
      printJson(description, 0);
      if (description.status !== 'RUNNING') {
        const outcome = await ask((client) => outcomeOf(client, description), signal);
        return outcome === null ? exitCodes.interrupted : exitCodeOf(description, outcome, options);
      }
      await sleep(jsonSeconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  });
}

async function watching(
  { endWithoutReader = false }: WatchOptions,
  watch: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const request = listenForStop({ endSeconds: 10 });
  const unread = new AbortController();
  const look = (): void => {
    if (endWithoutReader && lostOutput() === 'EPIPE') unread.abort();
  };
  const clock = setInterval(look, 500);
  try {
    const code = await watch(AbortSignal.any([request.signal, unread.signal]));
    return unread.signal.aborted ? exitCodes.noReader : code;
  } finally {
    clearInterval(clock);
    request.release();
  }
}

/** A run that is complete is a success if it did all that it was to do. */
function exitCodeOf({ status }: RunDescription, { done }: Outcome, { allowFailures = false }: WatchOptions): ExitCode {
  return status === 'COMPLETED' && (done === 'all' || (allowFailures && done === 'some'))
    ? exitCodes.ok
    : exitCodes.failed;
}
