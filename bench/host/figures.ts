/** What is measured in one process. */
export interface HostCase {
  readonly network: 'coarse' | 'refinement';
  /** Threads of the losses, and of one operation of TensorFlow. */
  readonly threads: number;
}

/**
 * Where the work is done: by loader threads ahead of the step; in a step, one thing after another; now and then, at steps that
 * are logged or saved.
 */
export type HostPlace = 'ahead' | 'step' | 'at times';

export interface HostPart {
  readonly name: string;
  readonly place: HostPlace;
  /** Medians, milliseconds. */
  readonly wall: number;
  /** Processor time of all threads. */
  readonly processor: number;
}

export interface HostFigures extends HostCase {
  readonly parts: readonly HostPart[];
  /** Calls into TensorFlow a step: functions, operations, uploads and read-backs. */
  readonly calls: number;
}
