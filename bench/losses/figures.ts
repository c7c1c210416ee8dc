/** What a network predicts when it is new (all vertices in one place), and when it is trained (a millimetre off). */
export const lossStates = ['untrained', 'trained'] as const;
export type LossState = (typeof lossStates)[number];

/** What is measured in one process. */
export interface LossesCase {
  /** Folder of a build: this one, or that of another commit. */
  readonly build: string;
  readonly threads: number;
}

/** A batch's losses and their gradient. */
export interface LossesFigures {
  readonly state: LossState;
  /** Medians, milliseconds. */
  readonly wall: number;
  /** Processor time of all threads. */
  readonly processor: number;
  /** Hash of the terms and the gradient: equal where the bits are. */
  readonly sha256: string;
}

export interface LossesResult extends LossesCase {
  readonly figures: readonly LossesFigures[];
}
