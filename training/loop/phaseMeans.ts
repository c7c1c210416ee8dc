import type { StepPhase } from '../process/protocol.js';

/** Share of the mean before that a new mean keeps. */
const kept = 0.95;

/** Where the time of the last steps went: means in which each step counts less, the longer it is ago. */
export class PhaseMeans {
  private means: Record<StepPhase, number> | null = null;

  add(milliseconds: Readonly<Record<StepPhase, number>>): void {
    const before = this.means;
    const means = { ...milliseconds };
    for (const phase of Object.keys(means) as StepPhase[]) {
      const seconds = milliseconds[phase] / 1000;
      means[phase] = before === null ? seconds : kept * before[phase] + (1 - kept) * seconds;
    }
    this.means = means;
  }

  /** null before the first step. */
  get seconds(): Readonly<Record<StepPhase, number>> | null {
    return this.means;
  }
}
