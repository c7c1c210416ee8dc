import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import type { FrameSource } from '../reader/frameSource.js';
import type { FrameId, Split } from '../types.js';
import type { ViewChoice } from '../views.js';
import type { Finding, WorldFinding } from '../worlds/types.js';

/** What a check needs to know of a configuration. */
export interface InspectOptions extends ViewChoice {
  readonly dataset: Pick<
    DatasetConfiguration,
    'name' | 'layout' | 'imageExtension' | 'storedResizeFactor' | 'unusableFrames'
  > &
    Partial<Pick<DatasetConfiguration, 'source'>>;
  readonly volume: Volume;
  readonly onProgress?: (progress: InspectProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How far an inspection is. */
export interface InspectProgress {
  /** Human-readable: `reading frames`. */
  readonly what: string;
  readonly done: number;
  /** null: not known. */
  readonly total: number | null;
}

/** A frame by what there is of it; nothing is read. */
export interface InspectedFrame {
  readonly split: Split;
  readonly id: FrameId;
  /** Cameras with calibration and image. */
  readonly views: readonly string[];
  readonly bytes: { readonly images: number; readonly scans: number; readonly registrations: number };
}

/** A frame that cannot be used, and why. */
export interface FrameTrouble {
  readonly split: Split;
  readonly id: FrameId;
  readonly reason: string;
}

/** A data set, wherever it lies. */
export interface Inspection {
  readonly source: FrameSource;
  readonly storedResizeFactor: number;
  readonly frames: readonly InspectedFrame[];
  readonly unusable: readonly FrameTrouble[];
  readonly incomplete: readonly FrameTrouble[];
  readonly calibrationBytes: number;
  /** For a folder in another layout: where what is missing lies instead; human-readable. */
  readonly layoutHints: readonly string[];
}

/** Counts of one sequence of a split. */
export interface SequenceCount {
  readonly split: Split;
  readonly subject: string;
  readonly sequence: string;
  /** Usable ones. */
  readonly frames: number;
  readonly unusable: number;
  /** Fewest and most of a frame. */
  readonly views: readonly [number, number];
  readonly bytes: number;
}

/** Findings about the rig of a sequence. */
export interface RigReport {
  readonly subject: string;
  readonly sequence: string;
  readonly cameras: number;
  readonly findings: readonly RigFinding[];
}

/** Findings about units and worlds of a frame that was read whole. */
export interface WorldReport {
  readonly split: Split;
  readonly id: FrameId;
  readonly findings: readonly WorldFinding[];
}

/** What a check found. Plain data. */
export interface DatasetReport {
  readonly description: string;
  readonly vertexCount: number;
  readonly sequences: readonly SequenceCount[];
  readonly bytes: {
    readonly images: number;
    readonly calibrations: number;
    readonly scans: number;
    readonly registrations: number;
  };
  readonly unusable: readonly FrameTrouble[];
  readonly incomplete: readonly FrameTrouble[];
  /** Frames that were read whole: checksums compared, images, meshes and scans decoded. */
  readonly read: { readonly frames: number; readonly of: number; readonly troubles: readonly FrameTrouble[] };
  readonly rigs: readonly RigReport[];
  /** About the template, which all frames share. */
  readonly shared: readonly WorldFinding[];
  /** Frames of which something was found. */
  readonly worlds: readonly WorldReport[];
  /** Subjects who are trained on and also validated or tested on: errors would not show how well strangers are captured. */
  readonly familiar: readonly { readonly split: Split; readonly subjects: readonly string[] }[];
  readonly usable: boolean;
  /** Why it is not usable, and what to do. */
  readonly problems: readonly string[];
}

/** Something about a rig. */
export interface RigFinding extends Finding {
  /** null: of the rig as a whole. */
  readonly camera: string | null;
}

/** The grid of voxels that the coarse model searches for the head. mm. */
export interface Volume {
  readonly centre: readonly [number, number, number];
  /** Side of the cube. */
  readonly side: number;
}
