import type { AttemptRecord } from '../../../activities/types.js';
import type { RunDescription } from '../../../client/runs/describeRun.js';
import { duration } from '../../../text/duration.js';
import { printable } from '../../../text/printable.js';
import { columns, localTime, styled } from '../../terminal/terminal.js';

/** Attempts that are listed, the last ones; `--json` has all. */
const mostListed = 12;
/** Characters of why one ended. */
const longestEnd = 120;

/** The attempts of trainers and predictors of a run's whole life: when, which worker, from step to step, why it ended. */
export function attemptLines({ progress, recorded }: RunDescription): string[] {
  let all = ((progress ?? recorded)?.steps ?? []).flatMap(({ step, interruptions }) =>
    (interruptions?.attempts ?? []).map((record, i) => ({ step, number: i + 1, record })),
  );
  // Those of a run that was resumed, which only found what is done.
  all = all.filter(({ record }) => record.end !== 'finished' || record.toStep !== null);
  if (all.length === 0) return [];
  all.sort((a, b) => Date.parse(a.record.beganAt) - Date.parse(b.record.beganAt));
  const seconds = all.reduce((sum, { record }) => sum + record.seconds, 0);
  const listed = all.slice(-mostListed);
  const left = all.length - listed.length;
  const which = left > 0 ? `the last ${listed.length} of ${all.length}` : `${all.length}`;
  const title = `Attempts (${which}; ${duration(seconds)} of workers' time)`;
  const rows = listed.map(({ step, number, record }) => [
    `  ${step}`,
    String(number),
    localTime(new Date(record.beganAt)).slice(5, 16),
    duration(record.seconds),
    stepsOf(record),
    record.worker,
    record.end === null ? 'runs' : printable(record.end, longestEnd),
  ]);
  return [styled('dim', title), ...columns(rows, [1, 3]).split('\n')];
}

function stepsOf({ fromStep, toStep }: AttemptRecord): string {
  return fromStep === null || toStep === null ? '–' : `${fromStep} → ${toStep}`;
}
