import type { Camera } from '../geometry/cameras/camera.js';

/** A moment of a sequence: an entry of a data list. */
export interface FrameId {
  readonly subject: string;
  readonly sequence: string;
  /** Zero-padded. */
  readonly frame: string;
}

/** What a data set's frames are for. */
export const splitNames = ['train', 'validation', 'test'] as const;
/** A split of the data set. */
export type Split = (typeof splitNames)[number];

/** One frame, decoded: what a batch is made of. */
export interface Sample {
  readonly id: FrameId;
  /** One a view, in sorted order of calibration name; landscape; at the stage's resize factor. */
  readonly views: readonly SampleView[];
  /** Registration, mm. `[L, 3]`; null where the test set has none. */
  readonly vertices: Float32Array | null;
  /** Scan points, mm. `[n, 3]` */
  readonly scanPoints: Float32Array;
  /** The coarse prediction that refinement starts from, mm. `[L, 3]`; null in the coarse stages. */
  readonly coarseVertices: Float32Array | null;
}

export interface SampleView {
  readonly camera: Camera;
  /** Rows of pixels. `[H, W, 3]` */
  readonly image: Pixels;
}

/** RGB in [0, 1], or, in a quarter of the memory, 8-bit values that stand for a 255th each. */
export type Pixels = Float32Array | Uint8Array;

/** What a training step consumes: flat arrays, ready to become tensors. All samples have the same V, H, W. */
export interface Batch {
  /** The step that it belongs to: its content depends on the run's seed and this number alone. */
  readonly step: number;
  readonly frames: readonly FrameId[];
  readonly viewNames: readonly (readonly string[])[];
  readonly shape: { readonly batch: number; readonly views: number; readonly height: number; readonly width: number };
  /** ImageNet-normalised. `[B, V, H, W, 3]` */
  readonly images: Float32Array;
  /** px. `[B, V, 3, 3]` */
  readonly intrinsics: Float32Array;
  /** World → camera, mm. `[B, V, 3, 4]` */
  readonly extrinsics: Float32Array;
  /** `[B, V, 2]` */
  readonly distortions: Float32Array;
  /** The same cameras, for the CPU's part (visibility). `[B][V]` */
  readonly cameras: readonly (readonly Camera[])[];
  /** Registrations, mm. `[B, L, 3]`; null for test frames. */
  readonly vertices: Float32Array | null;
  /** mm. `[B]` of `[n, 3]` */
  readonly scanPoints: readonly Float32Array[];
  /** mm. `[B, L, 3]`; null in the coarse stages. */
  readonly coarseVertices: Float32Array | null;
  /** What refinement needs of them, where the loader has computed it. It counts as long as its vertices are the batch's. */
  readonly surface?: PreparedSurface;
  /** Random rotations of the voxel grids (method 2.2, 3.3), where the loader has drawn them. `[B, grids, 3, 3]` */
  readonly gridRotations?: Float32Array;
}

/** What refinement needs of the coarse meshes of a batch (method 3.2), with the cameras of its images. */
export interface PreparedSurface {
  /** The batch's `coarseVertices`. */
  readonly vertices: Float32Array;
  /** Unit length. `[B, L, 3]` */
  readonly normals: Float32Array;
  /** Weights by visibility: 1 visible, 0.5 hidden. `[B, V, L]` */
  readonly visibility: Float32Array;
}

/** What the object store holds of a data set, all of it in memory; `PackedIndex` reads it as needed. */
export interface DatasetIndex {
  /** Of the form of `dataset.json` (`index/indexFile.ts`): 1 lists calibrations by frame, 2 by sequence, 3 is in parts. */
  readonly version: 1 | 2 | 3;
  readonly name: string;
  readonly storedResizeFactor: number;
  readonly imageExtension: string;
  /** Frames lie in their folder, and not in the store: keys and checksums are of what packing would have stored of them. */
  readonly inPlace?: true | undefined;
  /** 0 where neither a template nor registrations say it. */
  readonly vertexCount: number;
  /** Keys below the data set's own prefix, with their sizes and hex SHA-256; null for data that are only predicted from. */
  readonly template: IndexedObject | null;
  readonly vertexMasks: IndexedObject | null;
  readonly splits: Readonly<Record<Split, readonly IndexedFrame[]>>;
  /** Frames of the lists that were left out, with the reason. */
  readonly unusable: readonly { readonly split: Split; readonly id: FrameId; readonly reason: string }[];
  /** Frames that are in, without some of their cameras' views. */
  readonly incomplete?: readonly { readonly split: Split; readonly id: FrameId; readonly reason: string }[] | undefined;
}

/** An object that a data set’s index names, with what it has to hold. */
export interface IndexedObject {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/** A frame in the index of a packed data set. */
export interface IndexedFrame {
  readonly id: FrameId;
  readonly images: IndexedObject;
  readonly calibrations: readonly IndexedObject[];
  readonly scan: IndexedObject | null;
  readonly registration: IndexedObject | null;
}
