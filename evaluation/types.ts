/** Error figures over a set, mm. */
export interface ErrorSummary {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** 90th percentile. */
  readonly percentile90: number;
}

/**
 * What the table compares: our two models; what is known without a picture, at the true pose; guesses that know no pose;
 * and the registration itself against its own scan, below which no error can be measured.
 */
export const methodNames = {
  coarse: 'coarse',
  refinement: 'refinement',
  meanHeadPosed: 'mean head at the true pose',
  meanHeadLocalised: "mean head at the localiser's place",
  meanHeadCentred: "mean head at the volume's centre",
  registration: 'registration',
} as const;

/** The row of a head that so many principal components of the training heads come to, fitted to the truth. */
export const componentsName = (count: number): string => `${count} principal components, fitted`;

/** Root mean squares by vertex, mm: their squares add up to the mean square error. */
export interface ErrorParts {
  /** What rigid alignment of each frame takes away. */
  readonly pose: number;
  /** A subject's mean residual after alignment. */
  readonly identity: number;
  /** The rest, that changes from frame to frame. */
  readonly expression: number;
  /** Share of the true expression's displacement (in squares) that is explained; null where no expression changes. */
  readonly expressionExplained: number | null;
}

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
  /** After rigid alignment of each frame to its registration; not of baselines, nor without registrations. */
  readonly aligned?: { readonly pointToSurface: ErrorSummary; readonly vertices: ErrorSummary } | null;
  /** Not without registrations. */
  readonly parts?: ErrorParts | null;
  /** Mean acceleration of vertices, mm a frame²; null where no three frames follow one another. */
  readonly acceleration?: number | null;
}

/** Scan points that are farther from the head than hair and noise are: counted apart, in no figure. */
export interface FarPoints {
  /** mm from the registration (from the last model's prediction where there is none). */
  readonly beyond: number;
  readonly count: number;
  readonly share: number;
}

/** `runs/RUN/evaluation/evaluation.json` */
export interface Evaluation {
  readonly version: 1;
  readonly run: string;
  /** Frames that all figures are over. */
  readonly frames: number;
  readonly subjects: readonly string[];
  readonly methods: readonly MethodErrors[];
  readonly farPoints?: FarPoints;
  /** Point-to-surface errors by region of the head. */
  readonly regions?: readonly {
    readonly region: string;
    readonly method: string;
    readonly pointToSurface: ErrorSummary;
  }[];
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

/** The errors of one test frame, mm. */
export interface FrameEvaluation {
  readonly subject: string;
  readonly sequence: string;
  readonly frame: string;
  /** Mean point-to-surface error by method, mm. */
  readonly pointToSurface: Readonly<Record<string, number>>;
}
