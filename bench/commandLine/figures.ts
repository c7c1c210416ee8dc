/** What one command takes beside a server of this machine, seconds. */
export interface CommandFigures {
  readonly command: string;
  /** Median of the runs: of all its threads, user and system. */
  readonly processorSeconds: number;
  readonly leastProcessorSeconds: number;
  readonly wallSeconds: number;
  /** What it is to stay below, as processor time. */
  readonly limitSeconds: number | null;
}
