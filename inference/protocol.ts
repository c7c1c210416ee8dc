import type { FrameCache } from '../configs/frameCache.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { CacheCounts } from '../datasets/cache/counts.js';
import type { FrameId, Split } from '../datasets/types.js';
import type { FolderPredictionJob } from './folders/job.js';

/** The job of a predictor process: a shard of frames through one or both stages. */
export interface PredictionJob {
  readonly run: string;
  readonly configuration: RunConfiguration;
  /** `coarse` writes the refinement's training input; `both` writes the coarse and refined test predictions. */
  readonly stages: 'coarse' | 'both';
  readonly frames: readonly { readonly split: Split; readonly id: FrameId }[];
  readonly workingDirectory: string;
  /** As in `TrainingJob`. */
  readonly cache?: FrameCache;
}

export type PredictorFault = 'configuration' | 'credentials' | 'data' | 'worker' | 'infrastructure';

/** What a predictor process is started with. It ends with `finished`, whose result is the plan where one is asked for. */
export type PredictorStart =
  | { readonly kind: 'predict'; readonly job: PredictionJob }
  | { readonly kind: 'plan-folders'; readonly job: FolderPredictionJob }
  | { readonly kind: 'predict-folders'; readonly job: FolderPredictionJob };

export type PredictorCommand = PredictorStart | { readonly kind: 'stop'; readonly reason: string };

/** How far a predictor is; counts are frames. */
export interface PredictionProgress {
  readonly done: number;
  readonly total: number;
  /** Frames whose prediction was there already. */
  readonly skipped: number;
  readonly framesPerSecond: number;
  /** What the cache of frames did in this attempt; absent where there is none, and from workers of earlier versions. */
  readonly cache?: CacheCounts;
}

/** How a prediction ended; counts are frames. */
export interface PredictionResult {
  readonly predicted: number;
  readonly skipped: number;
  /** The first of them, where `failed` says how many there are. */
  readonly failures: readonly { readonly id: FrameId; readonly reason: string }[];
  readonly failed?: number;
  readonly seconds: number;
}

/** What a predictor tells its worker; nothing comes after `finished`, `stopped` and `failed`. */
export type PredictorEvent<Result = PredictionResult> =
  | { readonly kind: 'starting'; readonly message: string }
  | { readonly kind: 'progress'; readonly progress: PredictionProgress }
  | { readonly kind: 'warning'; readonly message: string }
  /** It goes on when a service is back; sent again and again until then. */
  | { readonly kind: 'waiting'; readonly message: string }
  | { readonly kind: 'finished'; readonly result: Result }
  | { readonly kind: 'stopped' }
  | {
      readonly kind: 'failed';
      readonly fault: PredictorFault;
      readonly message: string;
    };
