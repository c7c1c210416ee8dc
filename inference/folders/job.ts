import type { RunConfiguration } from '../../configs/schema/run.js';
import type { FrameId } from '../../datasets/types.js';

/** Weights to predict with: a published checkpoint, or one of a run in the object store that the configuration names. */
export type ModelReference =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'run';
      readonly run: string;
      /** null: what the stage ended with; else the checkpoint of that step. */
      readonly step: number | null;
    };

/** Where the topology comes from: a mesh file, or the template of a packed data set. */
export type TemplateReference =
  /** Absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** The data set's, as in the store. */
  | { readonly kind: 'dataset'; readonly name: string };

/** Which of the two models predict. */
export type FolderStages = 'coarse' | 'refinement' | 'both';

/** Prediction of folders in FaMoS layout, as the published testing commands do it. Plain data; paths are absolute. */
export interface FolderPredictionJob {
  readonly stages: FolderStages;
  /** Of the networks, the images' sizes and kind, the loader, and the store of models that are in one. */
  readonly configuration: RunConfiguration;
  /** The models that the stages need. */
  readonly models: { readonly coarse: ModelReference | null; readonly refinement: ModelReference | null };
  readonly template: TemplateReference;
  readonly list: {
    readonly path: string;
    /** Hex SHA-256 of the file: other workers must see the same. */
    readonly sha256: string;
  } & ListRange;
  readonly images: string;
  readonly calibrations: string;
  /** What refinement starts from: `…/S/Q/Q.N.ply`, metres; null where the coarse model runs before it. */
  readonly coarsePredictions: string | null;
  /** Folders that get `S/Q/Q.N.ply`, metres; null: not written. */
  readonly outputs: { readonly coarse: string | null; readonly refinement: string | null };
  /** The first frame that cannot be predicted ends it. */
  readonly strict: boolean;
  /** Also frames whose predictions are there are predicted, and replaced. */
  readonly overwrite: boolean;
}

/** A contiguous part of a list: indices of its entries, `to` excluded. */
export interface ListRange {
  readonly from: number;
  readonly to: number;
}

/** What is to be done of a job, in parts for several workers. */
export interface FolderPlan {
  /** Frames of the whole list. */
  readonly frames: number;
  /** Between and in them there may be frames whose predictions are there. */
  readonly shards: readonly ListRange[];
}

/** A frame that could not be predicted, and why. */
export interface FrameFailure {
  readonly id: FrameId;
  readonly reason: string;
}

/** Thrown when a frame cannot be predicted and the job is strict. */
export class FrameFailed extends Error {
  override readonly name = 'FrameFailed';
}

/** Thrown when a job cannot be done here: its folders, its list, its template or what its outputs hold. */
export class FoldersUnsuitable extends Error {
  override readonly name = 'FoldersUnsuitable';
}
