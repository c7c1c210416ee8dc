import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { CacheCounts } from '../cache/counts.js';
import type { DatasetPlace } from '../reader/inPlace.js';
import type { FrameFolders } from '../reader/frameFolders.js';
import type { Batch, FrameId, Split } from '../types.js';
import type { ViewChoice } from '../views.js';

/** Where a loader's frames come from. Plain data: it travels to threads. */
export type LoaderSource =
  | {
      readonly kind: 'store';
      readonly storage: StorageConfiguration;
      readonly dataset: string;
      readonly cacheDirectory: string;
      readonly cacheBytes: number;
      /** The folder of a data set that was not packed. */
      readonly place?: DatasetPlace | null;
    }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly dataset: Pick<DatasetConfiguration, 'layout' | 'imageExtension'>;
    }
  /** Frames that the caller names: for prediction. The template is in mm. */
  | { readonly kind: 'folders'; readonly folders: FrameFolders; readonly template: Mesh };

/** Where coarse predictions lie that refinement starts from: `…/S/Q/Q.N.ply`, metres. */
export type CoarsePredictions =
  | { readonly kind: 'store'; readonly storage: StorageConfiguration; readonly prefix: string }
  | { readonly kind: 'directory'; readonly path: string };

export interface LoaderSettings extends ViewChoice {
  readonly source: LoaderSource;
  readonly coarsePredictions: CoarsePredictions | null;
  readonly threads: number;
  /** Of memory, that each thread may keep a training list decoded in; left out: 256 MB. */
  readonly decodedBytes?: number;
  /**
   * Side of visibility's depth pictures, px: batches with coarse predictions come with what refinement needs of them
   * (`Batch.surface`). Without it they do not.
   */
  readonly surfaceResolution?: number;
}

/** What a training batch depends on, beside its step. */
export interface TrainingBatchSettings {
  readonly seed: number;
  readonly stage: Pick<StageConfiguration, 'batchSize' | 'views' | 'augmentation' | 'scanPoints' | 'imageResizeFactor'>;
  /** Whose grids are turned at random; without it batches come without rotations. */
  readonly gridRotations?: 'coarse' | 'refinement';
}

interface TrainingTask {
  readonly kind: 'training';
  readonly step: number;
  readonly settings: TrainingBatchSettings;
}

/** All views (as many as may be, always the same), nothing random: validation and prediction. */
interface PlainTask {
  readonly kind: 'plain';
  readonly step: number;
  readonly split: Split;
  readonly frames: readonly FrameId[];
  readonly resizeFactor: number;
  /** The first so many scan points; null: all. */
  readonly scanPoints: number | null;
}

/** A piece of work for a loader thread. */
export type LoaderTask = (TrainingTask | PlainTask) & {
  /** For the images: that of a batch which nobody needs any more. */
  readonly memory?: ArrayBuffer;
};

export interface LoaderResult {
  readonly batch: Batch;
  /** What its cache did since the thread's result before; nothing where frames lie in a folder. */
  readonly cache: CacheCounts;
}
