import { frameName } from '../layout.js';
import type { FrameId } from '../types.js';

/** Thrown when a frame cannot be used: an object is missing or damaged, a file cannot be decoded. Trying again does not help. */
export class FrameUnreadable extends Error {
  override readonly name = 'FrameUnreadable';
  constructor(
    readonly frame: FrameId,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`Frame ${frameName(frame)} cannot be read: ${reason}`, options);
  }
}

/** Thrown when there is no packed data set under the name: `tempeh-flow start dataset` makes it. */
export class DatasetMissing extends Error {
  override readonly name = 'DatasetMissing';
}

/** Thrown when an object's content is not what the index of its data set says, however often it is fetched. */
export class ObjectDamaged extends Error {
  override readonly name = 'ObjectDamaged';
}
