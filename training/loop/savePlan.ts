/** Earlier than this share of the interval no checkpoint is taken: so many more would cost more than waiting does. */
const earliest = 1 / 4;
/** Uploads do not all take as long as the last one. */
const margin = 1.25;

export interface SavePlanOptions {
  /** Steps from one checkpoint to the next. */
  readonly every: number;
  /** Checkpoints of these steps are kept for good, so that they are taken exactly then; null if none are. */
  readonly milestoneEvery: number | null;
  /** The step of the checkpoint that training goes on from. */
  readonly from: number;
}

/**
 * When to take checkpoints, so that training goes on while one is uploaded and yet a kill costs one interval at most: where
 * an upload takes longer than a step, the next one is taken so much earlier that it counts when the interval is over.
 * A faster one is waited for.
 */
export class SavePlan {
  private last: number;
  private steps = 0;
  private stepSeconds = 0;

  constructor(private readonly options: SavePlanOptions) {
    this.last = options.from;
  }

  /** A step was made. @param seconds that it took, without saving. */
  stepped(seconds: number): void {
    this.steps++;
    this.stepSeconds += seconds;
  }

  /** A checkpoint of this step was begun. */
  begun(step: number): void {
    this.last = step;
    // The next interval's steps may take another time.
    this.steps = 0;
    this.stepSeconds = 0;
  }

  /** @param saveSeconds that the last save took; null if none was made yet. */
  isDue(step: number, saveSeconds: number | null): boolean {
    const { every, milestoneEvery } = this.options;
    const early = this.stepsEarly(saveSeconds);
    const isWhole = step % every === 0;
    if (early === 0) return isWhole;
    return step - this.last >= every - early || (isWhole && milestoneEvery !== null && step % milestoneEvery === 0);
  }

  /** Whether a kill after the next step would cost more than an interval. @param counted the last step that counts. */
  mustWait(step: number, counted: number): boolean {
    return step - counted >= this.options.every;
  }

  private stepsEarly(saveSeconds: number | null): number {
    if (saveSeconds === null || this.steps === 0) return 0;
    const steps = (saveSeconds * this.steps) / this.stepSeconds;
    return steps < 1 ? 0 : Math.min(Math.ceil(steps * margin), Math.floor(this.options.every * earliest));
  }
}
