import { CancelledFailure, type ApplicationFailure } from '@temporalio/common';
import type { Context } from '@temporalio/activity';
import type { TrainerFault } from '../../training/process/protocol.js';
import { backOff, passingFault, processFault, stoppedFailure } from '../failures.js';
import type { Interruptions } from '../types.js';
import type { BoundedLog } from './boundedLog.js';
import type { ProcessEnd } from './processSupervisor.js';
import type { ProcessEndKind } from './stageMetrics.js';

/** What trainer and predictor events have in common. */
export type ProcessEvent<Progress, Result> =
  | { readonly kind: 'starting' | 'note' | 'warning' | 'waiting'; readonly message: string }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'finished'; readonly result: Result }
  | { readonly kind: 'stopped'; readonly checkpoint?: { readonly step: number } | null }
  | { readonly kind: 'failed'; readonly fault: TrainerFault; readonly message: string };

/** What of an end says whose fault it is. An orderly stop is none. */
export function blamedEnd(
  end: ProcessEnd<ProcessEvent<unknown, unknown>>,
): { readonly fault: TrainerFault | null } | null {
  if (end.kind === 'killed') return null;
  if (end.kind !== 'told') return { fault: null };
  return end.event.kind === 'failed' ? { fault: end.event.fault } : null;
}

/** How a process ended, for the numbers. */
export function endKind(end: ProcessEnd<ProcessEvent<unknown, unknown>>): ProcessEndKind {
  if (end.kind === 'killed') return 'stopped';
  if (end.kind !== 'told') return end.kind === 'hung' ? 'hung' : 'crashed';
  const { kind } = end.event;
  return kind === 'finished' || kind === 'stopped' ? kind : 'failed';
}

/** Why an attempt did not finish, in a line. */
export function endReason<Progress, Result>(
  end: ProcessEnd<ProcessEvent<Progress, Result>>,
  name: string,
  log: BoundedLog,
): string {
  if (end.kind === 'told') return end.event.kind === 'failed' ? end.event.message : 'stopped as asked, and saved';
  const last = linesOf(log, end.kind).at(-1);
  return `the ${name} ${end.how}${last === undefined || end.kind === 'killed' ? '' : `; it printed last: ${last}`}`;
}

/** How far the activity came when it was interrupted. */
interface Reached<Progress> {
  readonly progress: Progress | null;
  readonly interruptions: Interruptions;
  /** It, or an attempt before it, got on: its credentials were good. */
  readonly worked: boolean;
  /** Workers that were at fault before it, as it seemed. */
  readonly refused: readonly string[];
  /** The failure that blames this worker. */
  readonly blamed: ApplicationFailure | null;
}

/** The failure that Temporal acts rightly on. */
export function failureOf<Progress, Result>(
  end: ProcessEnd<ProcessEvent<Progress, Result>>,
  name: string,
  log: BoundedLog,
  context: Context,
  reached: Reached<Progress>,
): Error {
  // An attempt that got on has not failed for a lasting reason: no back-off from earlier failures.
  const delay = backOff(reached.progress === null ? context.info.attempt : 1);
  if (end.kind === 'told' && end.event.kind === 'failed') {
    const { fault, message } = end.event;
    const { blamed, refused, worked } = reached;
    const others =
      refused.length === 0 || fault !== 'credentials' ? '' : ` So it was on ${[...new Set(refused)].join(', ')}.`;
    const failure = blamed ?? processFault(fault, `${message}${others}`, worked, delay, detailsOf(reached));
    if (failure.nonRetryable === true) return failure;
    return cancelledBy(context, reached) ?? failure;
  }
  const cancelled = cancelledBy(context, reached);
  if (cancelled !== undefined) return cancelled;
  if (reached.blamed !== null) return reached.blamed;
  const inOrder = end.kind === 'told' || end.kind === 'killed';
  if (inOrder) return stoppedFailure(`The ${name} ${end.kind === 'killed' ? end.how : 'saved and stopped'}.`);
  const lines = lastWords(linesOf(log, end.kind)).map((line) => `  ${line}`);
  const nothing = log.lastLines(1).length === 0 ? 'It printed nothing.' : 'It logged no error.';
  const said = lines.length === 0 ? nothing : `It printed last:\n${lines.join('\n')}\n`;
  const sender = end.how.endsWith('SIGKILL') ? ` ${killers}` : '';
  const type = end.kind === 'hung' ? 'ProcessHung' : 'ProcessCrashed';
  const failure = passingFault(type, `The ${name} ${end.how}.${sender} ${said} Its whole log: ${log.path}`, delay);
  // Where it was made says nothing, and takes room.
  failure.stack = '';
  return failure;
}

/** Characters of a log that a failure quotes: of a larger one Temporal shows that it was too large, and nothing else. */
const mostQuoted = 1200;
const longestQuoted = 300;

/** Who sends this signal leaves no word. */
const killers = 'That is a person, or the kernel where memory ran out (dmesg says so).';

/** Of one that hung, what it was about last tells most; of one that crashed, what is no progress. */
function linesOf(log: BoundedLog, end: 'crashed' | 'hung' | 'killed'): string[] {
  return log.lastLines(10, end === 'hung' ? 'all' : 'troubles');
}

function lastWords(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines.toReversed()) {
    const shown = line.length > longestQuoted ? `${line.slice(0, longestQuoted)}…` : line;
    length += shown.length;
    if (length > mostQuoted) break;
    kept.unshift(shown);
  }
  return kept;
}

/** Only the workflow's wish makes an activity cancelled; what the worker or the server does to an attempt is retried. */
function cancelledBy(context: Context, reached: Reached<unknown>): CancelledFailure | undefined {
  if (context.cancellationDetails?.cancelRequested !== true) return undefined;
  return new CancelledFailure('Stopped as asked.', detailsOf(reached));
}

/** What a workflow learns from the failure of an activity that is not tried again. */
function detailsOf({ progress, interruptions }: Reached<unknown>): unknown[] {
  return [progress ?? undefined, interruptions];
}
