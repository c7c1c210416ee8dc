import type { StepPhase } from '../process/protocol.js';

/** Of the step before, that a new mean keeps. */
const kept = 0.95;

/** Where the time of the last steps went: means in which each step counts less, the longer it is ago. */
export class PhaseMeans {
  private means: Record<StepPhase, number> | null = null;

  add(milliseconds: Readonly<Record<StepPhase, number>>): void {
    const before = this.means;
    const mean = (phase: StepPhase): number => {
      const seconds = milliseconds[phase] / 1000;
      return before === null ? seconds : kept * before[phase] + (1 - kept) * seconds;
    };
    this.means = {
      batch: mean('batch'),
      forward: mean('forward'),
      loss: mean('loss'),
      backward: mean('backward'),
      update: mean('update'),
      show: mean('show'),
      save: mean('save'),
    };
  }

  /** null before the first step. */
  get seconds(): Readonly<Record<StepPhase, number>> | null {
    return this.means;
  }
}
