import { CancellationScope, condition, proxyActivities, upsertMemo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type { DataActivities, RunInput, StageExtension } from '../../activities/types.js';
import { memos } from '../../configs/temporal.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { shortActivity } from './activityOptions.js';
import { explain, findUserFault } from './failures.js';

/** A run's input, whose stages may be given more iterations while it runs. */
export class Iterations {
  #input: RunInput;
  #storing = 0;
  readonly #extended: Partial<Record<TrainingStage, number>> = {};

  constructor(input: RunInput) {
    this.#input = input;
  }

  get input(): RunInput {
    return this.#input;
  }

  of(stage: TrainingStage): number {
    return this.#input.configuration.training[stage].iterations;
  }

  /** @throws Error if it is no extension: for the validator of an update. */
  validate({ stage, iterations }: StageExtension): void {
    const now = (this.#input.configuration.training as Partial<RunInput['configuration']['training']>)[stage]
      ?.iterations;
    if (now === undefined) throw new Error(`There is no training stage ${stage}.`);
    if (!Number.isSafeInteger(iterations) || iterations <= now) {
      throw new Error(`${stage} is to train to step ${now}: an extension must be more, found ${iterations}.`);
    }
    if (this.#storing > 0) throw new Error('Another extension is being stored.');
  }

  /**
   * Has the new configuration checked and stored, then takes it over; the memo tells clients, which resume a run with what
   * it had in the end.
   *
   * @throws ApplicationFailure saying why it cannot be.
   */
  async extend(extension: StageExtension): Promise<void> {
    const { stage, iterations } = extension;
    this.#storing++;
    try {
      const options = shortActivity(`store that ${stage} trains to step ${iterations}`);
      // Stored and taken over, or neither: also when the run is cancelled meanwhile.
      await CancellationScope.nonCancellable(() =>
        proxyActivities<DataActivities>(options).extendStage({ ...this.#input, ...extension }),
      );
      this.take(extension);
      upsertMemo({ [memos.iterations]: this.#extended });
    } catch (failure) {
      const type = findUserFault(failure)?.type ?? 'StepFailed';
      throw ApplicationFailure.nonRetryable(explain(failure), type);
    } finally {
      this.#storing--;
    }
  }

  take({ stage, iterations }: StageExtension): void {
    const { configuration } = this.#input;
    const longer = { ...configuration.training[stage], iterations };
    const training = { ...configuration.training, [stage]: longer };
    this.#input = { ...this.#input, configuration: { ...configuration, training } };
    this.#extended[stage] = iterations;
  }

  /** True if a stage was extended when its end had been reached. Waits for an extension that is being stored. */
  async isShort(stage: TrainingStage, step: number): Promise<boolean> {
    if (this.#storing > 0) await condition(() => this.#storing === 0);
    const extended = this.#extended[stage];
    return extended !== undefined && step < extended;
  }
}
