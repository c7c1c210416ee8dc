import { orAborted } from '../../storage/async/orAborted.js';
import type { RecordedStep } from './recordedStep.js';
import type { StageData } from './stageData.js';
import { dropPrepared, prepareStep, type PreparedStep } from './trainingStep.js';

/** Brings the next step's batch to TensorFlow as soon as the loader has it, while the step before still runs. */
export class NextBatch {
  private asked: { readonly at: number; readonly prepared: Promise<PreparedStep | null> } | null = null;

  constructor(
    private readonly data: StageData,
    private readonly step: RecordedStep,
    private readonly signal: AbortSignal,
  ) {}

  /** Does not wait: what goes wrong is thrown where it is taken. @param at the step counter before it. */
  ask(at: number): void {
    const prepared = this.prepared(at);
    prepared.catch(() => undefined);
    this.asked = { at, prepared };
  }

  /** The batch of a step, the caller's; null once `signal` is aborted. */
  async take(at: number): Promise<PreparedStep | null> {
    const { asked } = this;
    this.asked = null;
    return asked?.at === at ? asked.prepared : this.prepared(at);
  }

  /** Frees what was asked for and not taken. */
  drop(): void {
    const { asked } = this;
    this.asked = null;
    asked?.prepared.then(
      (prepared) => prepared && dropPrepared(prepared),
      () => undefined,
    );
  }

  private async prepared(at: number): Promise<PreparedStep | null> {
    const batch = await orAborted(this.data.batch(at), this.signal);
    return batch && prepareStep(batch, this.step);
  }
}
