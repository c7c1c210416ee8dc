import { checkpointStageOf, stageNameSchema } from '../../checkpoints/manifest/manifestSchema.js';
import type { Attempt } from './readHistory.js';
import type { LoggedAttempt } from './readLogged.js';

/** An attempt as its log and the event log have it; null where neither knows. */
export interface AttemptRow {
  readonly step: string;
  readonly number: number;
  /** Seconds since 1970. */
  readonly from: number;
  readonly fromStep: number | null;
  readonly toStep: number | null;
  /** That it trained. */
  readonly seconds: number | null;
  readonly worker: string | null;
  readonly end: string | null;
}

/** The steps that train. */
const steps = stageNameSchema.options;
/** Seconds that an attempt's records may seem to be older than its log. */
const tolerance = 2;

/**
 * All attempts at training, those that came to nothing among them, and those of predictions that did not finish: what trained
 * by the event log, why it ended by the logs. Trained attempts without a log, as of earlier versions, have the name of their
 * checkpoints.
 */
export function attemptRows(trained: readonly Attempt[], logged: readonly LoggedAttempt[]): AttemptRow[] {
  const rows = new Map<LoggedAttempt, AttemptRow>();
  for (const attempt of logged) {
    const isTraining = steps.some((step) => step === attempt.step);
    if (!isTraining && (attempt.end === null || attempt.end === 'finished')) continue;
    const { step, number, from, worker, end } = attempt;
    rows.set(attempt, { step, number, from, fromStep: null, toStep: null, seconds: null, worker, end });
  }
  const alone: AttemptRow[] = [];
  for (const attempt of trained) {
    const log = logged.findLast(
      ({ step, from }) => stageOf(step) === attempt.stage && from <= attempt.from + tolerance,
    );
    const row = log && rows.get(log);
    const { stage, from, to, fromStep, toStep } = attempt;
    if (row === undefined) {
      const number = alone.filter(({ step }) => step === stage).length + 1;
      alone.push({ step: stage, number, from, fromStep, toStep, seconds: to - from, worker: null, end: null });
    } else {
      // One attempt may have started several trainers.
      rows.set(log!, {
        ...row,
        fromStep: Math.min(row.fromStep ?? fromStep, fromStep),
        toStep: Math.max(row.toStep ?? toStep, toStep),
        seconds: (row.seconds ?? 0) + to - from,
      });
    }
  }
  // Those of a run that was resumed, which only found what is done.
  const told = [...rows.values()].filter(({ end, toStep }) => end !== 'finished' || toStep !== null);
  return [...alone, ...told].sort((a, b) => a.from - b.from);
}

function stageOf(step: string): string | null {
  const stage = steps.find((name) => name === step);
  return stage === undefined ? null : checkpointStageOf(stage);
}
