import { existsSync, openSync, readSync, closeSync, fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrainingStage } from '../../../configs/schema/training.js';

/** A step that a trainer began. Written by the trainer of these tests (trainer.ts), a line each. */
export interface JournalStep {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  readonly attempt: string;
  readonly stage: TrainingStage;
  /** Steps done when it began. */
  readonly step: number;
  /** What it trained on, in their order: `SUBJECT/SEQUENCE/FRAME`. */
  readonly frames: readonly string[];
}

const pollMilliseconds = 20;

/** The journal of all trainers of a run, as it grows. */
export class Journal {
  private read: JournalStep[] = [];
  private offset = 0;
  private rest = '';

  constructor(readonly file: string) {}

  get steps(): readonly JournalStep[] {
    this.readOn();
    return this.read;
  }

  get last(): JournalStep | null {
    return this.steps.at(-1) ?? null;
  }

  /** What has been written so far is of a run that has ended. */
  forget(): void {
    this.readOn();
    this.read = [];
  }

  /** Waits for a step that fits, of those that are begun from now on. null if `signal` is aborted before. */
  async next(fits: (step: JournalStep) => boolean, signal: AbortSignal): Promise<JournalStep | null> {
    let from = this.steps.length;
    while (!signal.aborted) {
      const { steps } = this;
      for (; from < steps.length; from++) if (fits(steps[from]!)) return steps[from]!;
      await sleep(pollMilliseconds);
    }
    return null;
  }

  private readOn(): void {
    if (!existsSync(this.file)) return;
    const descriptor = openSync(this.file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(descriptor).size - this.offset);
      this.offset += readSync(descriptor, bytes, 0, bytes.length, this.offset);
      const lines = (this.rest + bytes.toString()).split('\n');
      this.rest = lines.pop() ?? '';
      this.read.push(...lines.map((line) => JSON.parse(line) as JournalStep));
    } finally {
      closeSync(descriptor);
    }
  }
}

/** An attempt that went on after another had been interrupted. */
export interface Resumption {
  readonly at: number;
  readonly stage: TrainingStage;
  readonly attempt: string;
  /** The step that it began with. */
  readonly from: number;
  /** Steps that had been begun before, and were made again. */
  readonly repeated: number;
}

/** Pre-training and fine-tuning share their checkpoints, and their steps are counted through. */
const countedTogether = (stage: TrainingStage): string => (stage === 'refinement' ? 'refinement' : 'coarse');

/**
 * Each attempt after the first of a stage, with what it made again. Steps of an attempt that does not know yet that
 * another has taken over count for the next.
 */
export function resumptions(steps: readonly JournalStep[]): Resumption[] {
  const known = new Map<string, { attempts: Set<string>; reached: number }>();
  const found: Resumption[] = [];
  for (const { at, stage, attempt, step } of steps) {
    const together = countedTogether(stage);
    const state = known.get(together) ?? { attempts: new Set<string>(), reached: 0 };
    known.set(together, state);
    if (!state.attempts.has(attempt) && state.attempts.size > 0) {
      found.push({ at, stage, attempt, from: step, repeated: Math.max(0, state.reached - step) });
      state.reached = step;
    }
    state.attempts.add(attempt);
    state.reached = Math.max(state.reached, step + 1);
  }
  return found;
}

/** The longest time in which no step was begun, seconds; of the time from before one moment to after another. */
export function largestGap(steps: readonly JournalStep[], from: number, to: number): number {
  let longest = 0;
  for (let i = 1; i < steps.length; i++) {
    const [before, after] = [steps[i - 1]!.at, steps[i]!.at];
    if (after >= from && before <= to) longest = Math.max(longest, after - before);
  }
  return longest / 1000;
}

/** What each step trained on, whoever made it: a second time the same, or it is reported. */
export function framesByStep(steps: readonly JournalStep[]): { frames: Map<string, string>; differing: string[] } {
  const frames = new Map<string, string>();
  const differing: string[] = [];
  for (const { stage, step, frames: list } of steps) {
    const name = `${countedTogether(stage)} ${step}`;
    const now = list.join(' ');
    const before = frames.get(name);
    if (before !== undefined && before !== now) differing.push(`${name}: ${before}, then ${now}`);
    frames.set(name, now);
  }
  return { frames, differing };
}
