/** What is measured of saving, in one process. */
export interface SavingCase {
  readonly megabytes: number;
  readonly megabytesPerSecond: number;
  /** Seconds of a step in which the thread that trains does nothing else. */
  readonly stepSeconds: number;
}

/** Seconds. */
export interface SavingFigures extends SavingCase {
  /** That a step waits while the state is copied. */
  readonly copy: number;
  /** From the copy to the manifest that names the checkpoint, with nothing beside. */
  readonly alone: number;
  /** The same while steps block the thread that trains. */
  readonly besideSteps: number;
  /** From being told to stop between two steps to the end of everything, with the save. */
  readonly stop: number;
}
