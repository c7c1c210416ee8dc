import type { FrameId } from '../datasets/types.js';
import type { CheckpointReference } from '../checkpoints/reference.js';

/** Thrown when the stage was told to stop, and has: it is to be resumed, not failed. */
export class StageStopped extends Error {
  override readonly name = 'StageStopped';
  constructor(
    readonly step: number,
    readonly checkpoint: CheckpointReference | null,
    readonly reason: string,
  ) {
    super(`Stopped after step ${step}: ${reason}`);
  }
}

/** Thrown when more batches have no finite loss or gradient than may be skipped. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
  constructor(
    step: number,
    frames: readonly FrameId[],
    what: string,
    skipped: number,
    last: CheckpointReference | null,
  ) {
    const names = frames.map(({ subject, sequence, frame }) => `${subject}/${sequence}/${frame}`).join(', ');
    super(
      `Step ${step} has ${what} (frames ${names}` +
        `${skipped > 0 ? `; ${skipped} batches were skipped before` : ''}). ` +
        `${last ? `The last good checkpoint is that of step ${last.step} (${last.key})` : 'It has no checkpoint yet'}. ` +
        'Look at these frames, lower learningRate, set gradientClipping, or let skipNonFiniteBatches skip such batches.',
    );
  }
}

/** Thrown for a configuration of which no network can be made. */
export class NetworkRefused extends Error {
  override readonly name = 'NetworkRefused';
}
