import type { RunDescription } from '../../../client/runs/describeRun.js';
import { sparkline } from '../../../text/sparkline.js';

/** Losses that are remembered: more than a line has columns. */
const mostKept = 2000;

/** The losses of the stage that trains, as they are seen while someone watches. */
export class LossCurve {
  private stage: string | null = null;
  private step = -1;
  private losses: number[] = [];

  see({ progress }: RunDescription): void {
    const training = progress?.training ?? null;
    if (training === null) this.losses = [];
    if (training === null || training.loss === null) return;
    if (training.stage !== this.stage) {
      this.stage = training.stage;
      this.losses = [];
      this.step = -1;
    }
    if (training.step === this.step) return;
    this.step = training.step;
    this.losses = [...this.losses, training.loss].slice(-mostKept);
  }

  /** `    loss  █▆▅▃▂▁  45.7`; none before there are three. @param width columns of bars. */
  lines(width = 40): string[] {
    const line = sparkline(this.losses, width);
    return line === '' ? [] : [`    loss       ${line}  ${this.losses.at(-1)!.toPrecision(3)}`];
  }
}
