/** Error figures over a set, mm. */
export interface ErrorSummary {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** 90th percentile. */
  readonly percentile90: number;
}

/** One row of the table: a method on the test set. */
export interface MethodErrors {
  /** `coarse`, `refinement`, `mean head at the localiser's place`, `mean head at the volume's centre`. */
  readonly method: string;
  /** From every scan point to the nearest point of the mesh. */
  readonly pointToSurface: ErrorSummary;
  /** From every vertex to the registration's; null where the test set has no registrations. */
  readonly vertices: ErrorSummary | null;
}

/** `runs/RUN/evaluation/evaluation.json` */
export interface Evaluation {
  readonly version: 1;
  readonly run: string;
  readonly frames: number;
  readonly subjects: readonly string[];
  readonly methods: readonly MethodErrors[];
  readonly perFrame: readonly {
    readonly subject: string;
    readonly sequence: string;
    readonly frame: string;
    /** Mean point-to-surface error by method, mm. */
    readonly pointToSurface: Readonly<Record<string, number>>;
  }[];
}
