import { lostReason } from '../../checkpoints/logs/attemptLines.js';
import { keptOfStep } from '../../configs/temporal.js';
import type { AttemptRecord } from '../types.js';

/** Characters of a warning. */
const longestWarning = 400;
/** Characters of why one ended. */
const longestReason = 240;

/** Why an attempt ended, as a line that lists take. */
export function reasonLine(reason: string): string {
  return reason.replace(/\s+/g, ' ').slice(0, longestReason);
}

/**
 * The attempts at one activity, from heartbeat to heartbeat: each passes on to the next what there was before it, so that the
 * list outlives workers.
 */
export class Attempts {
  private readonly before: readonly AttemptRecord[];
  private readonly begun = performance.now();
  private current: AttemptRecord;
  private warned: readonly string[];

  /**
   * @param told what the attempt before reported last; its own record is open if it had no time to say why it ended.
   * @param attempt what is known of this one.
   * @param warned of by those before.
   */
  constructor(
    told: readonly AttemptRecord[],
    attempt: Pick<AttemptRecord, 'attempt' | 'worker'>,
    warned: readonly string[] = [],
    now: () => Date = () => new Date(),
  ) {
    this.warned = warned;
    this.before = told.map((record) => (record.end === null ? { ...record, end: lostReason } : record));
    this.current = { ...attempt, beganAt: now().toISOString(), seconds: 0, fromStep: null, toStep: null, end: null };
  }

  /** How far it is; of a prediction nothing. @param from the step that it began at. */
  reached(from: number, step: number): void {
    this.current = { ...this.current, fromStep: this.current.fromStep ?? from, toStep: step };
  }

  ended(reason: string): void {
    this.current = { ...this.current, end: reasonLine(reason) };
  }

  /** Its worker was at fault, and takes no tasks any more. @returns what is to be warned of. */
  unfit(reason: string): string {
    this.current = { ...this.current, unfit: true };
    return `Worker ${this.current.worker} was at fault, and taken out: ${reasonLine(reason)}`;
  }

  /** Workers that were at fault in the attempts right before this one, the oldest first. */
  get unfitBefore(): readonly string[] {
    const last = this.before.findLastIndex(({ unfit }) => unfit !== true);
    return this.before.slice(last + 1).map(({ worker }) => worker);
  }

  /** Why the attempt before this one ended; null where there was none. */
  get lastEnd(): string | null {
    return this.before.at(-1)?.end ?? null;
  }

  warning(text: string): void {
    const shown = text.slice(0, longestWarning);
    this.warned = [...this.warned.filter((earlier) => earlier !== shown), shown].slice(-keptOfStep.warnings);
  }

  /** Warnings of all attempts, each once. */
  get warnings(): readonly string[] {
    return this.warned;
  }

  get list(): readonly AttemptRecord[] {
    const seconds = Math.round((performance.now() - this.begun) / 100) / 10;
    return [...this.before, { ...this.current, seconds }].slice(-keptOfStep.attempts);
  }
}
