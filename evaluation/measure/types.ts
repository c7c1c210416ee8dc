import type { FrameId } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { ErrorParts, FarPoints } from '../types.js';

/** Percentiles that every summary has. */
export const percentiles = [5, 10, 25, 50, 75, 90, 95, 99] as const;

/** Point-to-surface errors over a set of scan points, mm. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  readonly standardDeviation: number;
  readonly largest: number;
  /** By `percentiles`. */
  readonly percentiles: Readonly<Record<string, number>>;
}

/** A frame's predictions by method, beside the scan. */
export interface MeasuredFrame {
  readonly id: FrameId;
  /** mm; all of one topology. */
  readonly heads: ReadonlyMap<string, Mesh>;
  /** `[n, 3]`, mm. */
  readonly scanPoints: Float32Array;
  /** Vertices `[L, 3]`, mm; null where there is none. */
  readonly registration: Float32Array | null;
}

/** Predictions to be measured: folders, or a run in an object store. */
export interface MeasuredSet {
  /** Human-readable. */
  readonly description: string;
  readonly methods: readonly string[];
  /** Methods that know the truth, or no picture: they are not aligned, and far points are not recognised by them. */
  readonly baselines?: ReadonlySet<string>;
  readonly frames: readonly FrameId[];
  /** Of a shard: frames of its first sequence just before its first. */
  readonly before?: readonly FrameId[];
  /** Vertex indices by region; null: there are no masks. */
  readonly regions: Readonly<Record<string, ArrayLike<number>>> | null;
  /** @throws FrameUnreadable naming what is missing or wrong */
  load(id: FrameId): Promise<MeasuredFrame>;
  /**
   * The registration `[L, 3]`, mm, that a subject's others are turned onto, the same for all shards; null where it has none.
   * Absent: its first one that is measured.
   */
  reference?(subject: string): Promise<Float32Array | null>;
}

export type Measured<Of extends object> = Of & {
  readonly method: string;
  readonly pointToSurface: Summary;
};

/** `evaluation.json` of `tempeh-flow evaluate`: errors in mm. */
export interface Measurement {
  readonly version: 1;
  readonly of: string;
  readonly frames: number;
  readonly methods: readonly (Measured<object> & {
    /** The error that 1 %, 2 %, … 100 % of the scan points stay within. */
    readonly cumulative: readonly number[];
    /** Distances of vertices to the registrations'; null where there are none. */
    readonly vertices: Summary | null;
    /** After rigid alignment of each frame to its registration; null for baselines, and without registrations. */
    readonly aligned: { readonly pointToSurface: Summary; readonly vertices: Summary } | null;
    readonly parts: ErrorParts | null;
    /** Mean acceleration of vertices, mm a frame². */
    readonly acceleration: number | null;
  })[];
  readonly farPoints: FarPoints;
  /** A scan point is in the regions of the predicted vertex that it is nearest to in the closest triangle; regions overlap. */
  readonly regions: readonly Measured<{ readonly region: string }>[];
  readonly sequences: readonly Measured<{
    readonly subject: string;
    readonly sequence: string;
    readonly frames: number;
  }>[];
  readonly perFrame: readonly Measured<{
    readonly subject: string;
    readonly sequence: string;
    readonly frame: string;
  }>[];
  /** Frames without figures, and why. */
  readonly leftOut: readonly { readonly id: FrameId; readonly reason: string }[];
}
