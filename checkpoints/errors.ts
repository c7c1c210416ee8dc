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

/** Thrown when a stage's manifest is gone, but its objects are not: beginning anew would lose them. */
export class ManifestMissing extends Error {
  override readonly name = 'ManifestMissing';
  constructor(
    readonly run: string,
    readonly manifestKey: string,
    store: string,
    /** Steps of the checkpoints that are whole, in their order. */
    left: { readonly steps: readonly number[]; readonly segments: number },
  ) {
    const { steps, segments } = left;
    const shown =
      steps.length > 6 ? `${steps.slice(0, 3).join(', ')} … ${steps.slice(-2).join(', ')}` : steps.join(', ');
    const checkpoints = steps.length === 0 ? 'no whole checkpoint' : `checkpoints of step ${shown}`;
    super(
      `${manifestKey} is missing in ${store}, though objects of the stage are there: ${checkpoints}, ${segments} event ` +
        `segments. Nothing was deleted, and nothing is trained. Restore the object, or have it made again: ` +
        `tempeh-flow repair ${run} (it first shows what it would do). Then: tempeh-flow resume ${run}.`,
    );
  }
}

/** Thrown when Temporal's history knows of a checkpoint, and the store of none: beginning anew would lose it silently. */
export class CheckpointsLost extends Error {
  override readonly name = 'CheckpointsLost';
  constructor(
    readonly run: string,
    readonly manifestKey: string,
    store: string,
    readonly knownStep: number,
  ) {
    super(
      `Temporal knows that ${run} has saved a checkpoint of step ${knownStep}, but there is none: ${manifestKey} in ${store} ` +
        `names none, and none is there. Nothing is trained. Restore the objects of that folder (then tempeh-flow repair ${run} ` +
        'if the manifest is not among them), check that storage.* names the right place, or start a new run under another name.',
    );
  }
}

/** Thrown when there are checkpoints, but none of them can be read any more. Nothing was changed. */
export class NoUsableCheckpoint extends Error {
  override readonly name = 'NoUsableCheckpoint';
  constructor(
    readonly manifestKey: string,
    readonly run: string,
    readonly reasons: readonly string[],
  ) {
    super(
      `None of the checkpoints in ${manifestKey} can be read:\n${reasons.map((reason) => `  ${reason}\n`).join('')}` +
        `Restore the objects of one byte for byte, then: tempeh-flow resume ${run}. ` +
        `tempeh-flow repair ${run} shows checkpoints that are whole and that the manifest does not name.`,
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

/** Thrown when a stage is asked for whose predecessor has not finished. */
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
