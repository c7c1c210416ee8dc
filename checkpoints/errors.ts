import type { TrainingStage } from '../configs/schema/training.js';

/** Thrown where an attempt writes after another has taken over: it must stop, and has nothing to save. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor(
    readonly manifestKey: string,
    readonly attempt: string,
  ) {
    super(`Attempt ${attempt} no longer holds ${manifestKey}: another attempt has taken over.`);
  }
}

/** Thrown when there are checkpoints, but none of them can be read any more. */
export class NoUsableCheckpoint extends Error {
  override readonly name = 'NoUsableCheckpoint';
  constructor(
    readonly manifestKey: string,
    readonly reasons: readonly string[],
  ) {
    super(
      `None of the checkpoints in ${manifestKey} can be read:\n${reasons.map((reason) => `  ${reason}\n`).join('')}` +
        'Restore their objects, or start a new run.',
    );
  }
}

/** Thrown when the weights that a finished stage ended with are not those that were written: its end is to be trained again. */
export class FinalModelDamaged extends Error {
  override readonly name = 'FinalModelDamaged';
  constructor(
    readonly run: string,
    readonly stage: TrainingStage,
    options: { readonly cause: Error },
  ) {
    super(`${options.cause.message}. Resume the run: the last steps of ${stage} are trained again.`, options);
  }
}

/** Thrown when a stage is asked for whose forerunner has not finished. */
export class StageNotFinished extends Error {
  override readonly name = 'StageNotFinished';
  constructor(
    readonly run: string,
    readonly stage: TrainingStage,
    neededFor: string,
  ) {
    super(
      `${stage} of run ${run} has not finished, but ${neededFor} starts from its final checkpoint: train it first.`,
    );
  }
}

/** Thrown when the numbers of a checkpoint do not fit the network that the configuration describes. */
export class CheckpointMismatch extends Error {
  override readonly name = 'CheckpointMismatch';
  constructor(
    readonly checkpoint: string,
    problem: string,
  ) {
    super(
      `${checkpoint} does not fit the configured network: ${problem}. ` +
        'A run keeps its model settings and its data set; start a new run for others.',
    );
  }
}
