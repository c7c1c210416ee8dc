import type { RunDescription } from '../../../client/runs/describeRun.js';
import type { PendingActivity } from '../../../client/runs/pendingActivities.js';
import { duration } from '../../../text/duration.js';
import { printable } from '../../../text/printable.js';
import { styled } from '../../terminal/terminal.js';
import { activityNames } from './activityNames.js';

/** Characters of why an attempt failed. */
const longestFailure = 300;

/** Characters of a warning, which says what was found where. */
const longestWarning = 600;

/** `refinement`; of what fetches and packs, what it does: `dataset (packing)`. */
function nameOf({ type, workflowId }: PendingActivity): string {
  const step = workflowId.split('/')[1];
  const work = activityNames[type];
  if (step === undefined) return work ?? type;
  return work === undefined ? step : `${step} (${work})`;
}

/**
 * Activities that failed and are tried again: why, and when. Those that wait in their place: for what. Warnings. What was
 * stopped in an orderly way, or given back, has another mark: nothing is wrong.
 */
export function troubles({ activities, progress }: RunDescription, now: number): string[] {
  const mark = `  ${styled('yellow', '!')}`;
  return activities.flatMap((activity) => {
    const { attempt, lastFailure, lastFailureIsFault, paused, state, heartbeat } = activity;
    const name = nameOf(activity);
    const lines: string[] = [];
    if (lastFailure !== null || paused) {
      // What failed is the attempt before the one that runs, or that is to come.
      const number = numbering(activity, progress);
      const failed = number(lastFailure === null ? attempt : attempt - 1);
      const failure = lastFailure === null ? '' : `: ${printable(lastFailure.replace(/\s+/g, ' '), longestFailure)}`;
      const next = nextAttempt(activity, now, number);
      const isTrouble = lastFailureIsFault || paused;
      lines.push(
        `${isTrouble ? mark : `  ${styled('dim', '·')}`} ${name}, attempt ${failed}${failure}${next === '' ? '' : ` (${next})`}`,
      );
    }
    const waitsFor = state === 'running' ? heartbeat?.waitsFor : null;
    if (waitsFor) lines.push(`${mark} ${name} waits: ${waitsFor.split('\n')[0]}`);
    const warning = heartbeat !== null && 'warning' in heartbeat ? heartbeat.warning : undefined;
    if (warning !== undefined) lines.push(`${mark} ${name}: ${printable(warning, longestWarning)}`);
    return lines;
  });
}

/** What earlier attempts and steps that are done warned of: what runs shows its own last one above. */
export function pastWarnings({ progress, activities }: RunDescription): string[] {
  const shown = activities.flatMap(({ heartbeat }) =>
    heartbeat !== null && 'warning' in heartbeat && heartbeat.warning !== undefined ? [heartbeat.warning] : [],
  );
  const line = (text: string): string => `  ${styled('yellow', '!')} ${printable(text, longestWarning)}`;
  const ofSteps = (progress?.steps ?? []).flatMap(({ step, interruptions }) =>
    (interruptions?.warnings ?? [])
      // Those that are kept are cut.
      .filter((warning) => !shown.some((whole) => whole.startsWith(warning)))
      .map((warning) => line(`${step}: ${warning}`)),
  );
  return [...(progress?.warnings ?? []).map(line), ...ofSteps];
}

/** The numbers of a stage's attempts, as they are listed: Temporal's begin anew where the stage was paused or resumed. */
function numbering(
  { workflowId, type, interruptions }: PendingActivity,
  progress: RunDescription['progress'],
): (attempt: number) => number {
  const step = progress?.steps.find((state) => workflowId.endsWith(`/${state.step}`));
  const own = interruptions.attempts ?? [];
  const before = type === 'trainStage' ? (step?.interruptions?.attempts?.length ?? 0) - own.length : 0;
  return (attempt) => {
    if (before <= 0 || own.length === 0) return attempt + Math.max(0, before);
    const index = own.findIndex((record) => record.attempt === attempt);
    return before + 1 + (index >= 0 ? index : own.length);
  };
}

/** When an activity that waits is tried again. */
export function nextAttempt(
  { paused, state, nextAttemptAt, attempt, lastFailure }: PendingActivity,
  now: number,
  number = (temporals: number): number => temporals,
): string {
  if (paused) return 'paused in Temporal: tempeh-flow retry goes on';
  if (nextAttemptAt === null)
    return state === 'waiting' ? 'waits for a worker' : lastFailure === null ? '' : `attempt ${number(attempt)} runs`;
  return `next attempt in ${duration(Math.max(0, (nextAttemptAt.getTime() - now) / 1000))}`;
}
