/** Error figures over a set, mm. */
export interface ErrorSummary {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** 90th percentile. */
  readonly percentile90: number;
}

/** What the table compares: our two models, and the mean training head in two places. */
export const methodNames = {
  coarse: 'coarse',
  refinement: 'refinement',
  meanHeadLocalised: "mean head at the localiser's place",
  meanHeadCentred: "mean head at the volume's centre",
} as const;

/** One row of the table: a method on the test set. */
export interface MethodErrors {
  /** One of `methodNames`. */
  readonly method: string;
  /** From every scan point to the nearest point of the mesh. */
  readonly pointToSurface: ErrorSummary;
  /** The cumulative error curve: the point-to-surface error, mm, that 5 %, 10 %, … 100 % of the scan points stay within. */
  readonly pointToSurfaceQuantiles: readonly number[];
  /** From every vertex to the registration's; null where the test set has no registrations. */
  readonly vertices: ErrorSummary | null;
}

/** `runs/RUN/evaluation/evaluation.json` */
export interface Evaluation {
  readonly version: 1;
  readonly run: string;
  /** Frames that all figures are over. */
  readonly frames: number;
  readonly subjects: readonly string[];
  readonly methods: readonly MethodErrors[];
  readonly perFrame: readonly FrameEvaluation[];
  /** Mean over the frames of a sequence. */
  readonly perSequence: readonly {
    readonly subject: string;
    readonly sequence: string;
    readonly frames: number;
    /** Mean point-to-surface error by method, mm. */
    readonly pointToSurface: Readonly<Record<string, number>>;
  }[];
  /** Test frames without figures, and why: a prediction or a scan is missing. */
  readonly leftOut: readonly {
    readonly subject: string;
    readonly sequence: string;
    readonly frame: string;
    readonly reason: string;
  }[];
}

export interface FrameEvaluation {
  readonly subject: string;
  readonly sequence: string;
  readonly frame: string;
  /** Mean point-to-surface error by method, mm. */
  readonly pointToSurface: Readonly<Record<string, number>>;
}
