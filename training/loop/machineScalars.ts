import { memoryUsage } from 'node:process';
import type { EventRecorder } from '../../checkpoints/events/eventLog.js';
import type { StepPhase } from '../process/protocol.js';
import type { StepMilliseconds } from './trainingStep.js';

/** A step's time with what comes before and after it. */
export interface LoopMilliseconds extends StepMilliseconds {
  /** Waiting for the batch. */
  readonly batch: number;
  /** Pictures and validation. */
  readonly show: number;
  /** Copying the state, and waiting for an upload that would else come to count too late. */
  readonly save: number;
}

/**
 * Of the machine, not of the run: a repetition has others. Seconds of a step and where they go, as means since they were
 * written last.
 */
export class MachineScalars {
  private readonly sums = new Map<StepPhase, number>();
  private steps = 0;

  add(milliseconds: LoopMilliseconds): void {
    this.steps++;
    for (const [phase, spent] of Object.entries(milliseconds) as [StepPhase, number][]) {
      this.sums.set(phase, (this.sums.get(phase) ?? 0) + spent);
    }
  }

  write(events: EventRecorder, step: number): void {
    if (this.steps === 0) return;
    let whole = 0;
    for (const [phase, sum] of this.sums) {
      const seconds = sum / this.steps / 1000;
      whole += seconds;
      events.scalar(step, `Machine/${titles[phase]}`, seconds);
    }
    events.scalar(step, 'Machine/seconds a step', whole);
    events.scalar(step, 'Machine/memory of the process, GB', memoryUsage.rss() / 1e9);
    this.sums.clear();
    this.steps = 0;
  }
}

const titles: Readonly<Record<StepPhase, string>> = {
  batch: 'seconds waiting for data',
  forward: 'seconds forward',
  loss: 'seconds of losses',
  backward: 'seconds backward',
  update: 'seconds of the update',
  show: 'seconds of validation and pictures',
  save: 'seconds of saving',
};
