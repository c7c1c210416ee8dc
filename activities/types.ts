import type { RunConfiguration } from '../configs/schema/run.js';
import type { TrainingStage } from '../configs/schema/training.js';
import type { PredictionResult } from '../inference/protocol.js';
import type { StageResult } from '../training/protocol.js';
import type { Evaluation } from '../evaluation/types.js';

/** What every activity of a run is given. A few kilobytes, no secret, no bulk. */
export interface RunInput {
  readonly run: string;
  readonly configuration: RunConfiguration;
}

export interface DatasetSummary {
  readonly name: string;
  readonly frames: Readonly<Record<'train' | 'validation' | 'test', number>>;
  readonly unusable: number;
  readonly vertexCount: number;
  readonly bytes: number;
}

/** On any data worker. */
export interface DataActivities {
  /** Refuses a configuration that this fleet cannot run, before anything starts, and stores it with its run. */
  prepareRun(input: RunInput): Promise<void>;
  /** The summary of a packed data set that is there already; null if it must be made. */
  findDataset(input: RunInput): Promise<DatasetSummary | null>;
  /** The task queue of one data worker, whose disk the next steps share. */
  claimDataWorker(): Promise<string>;
  /** Shards of the prediction cache that are still to do. */
  planPredictions(input: RunInput): Promise<PredictionPlan>;
  evaluate(input: RunInput): Promise<Evaluation>;
}

/** On the queue of the data worker that has the volumes on its disk. */
export interface DataWorkerActivities {
  fetchBundle(input: RunInput & { readonly bundle: string }): Promise<FetchSummary>;
  extractBundle(input: RunInput & { readonly bundle: string }): Promise<ExtractSummary>;
  packDataset(input: RunInput): Promise<DatasetSummary>;
}

export interface GpuActivities {
  trainStage(input: RunInput & { readonly stage: TrainingStage }): Promise<StageResult>;
  predictShard(input: RunInput & { readonly shard: PredictionShard }): Promise<PredictionResult>;
}

export interface FetchSummary {
  readonly bundle: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that came over the network this time. */
  readonly fetchedBytes: number;
}

export interface ExtractSummary {
  readonly bundle: string;
  readonly files: number;
  readonly bytes: number;
}

/** A contiguous range of the frames of some splits, in the order of the data set's index. */
export interface PredictionShard {
  readonly index: number;
  readonly purpose: 'refinement-input' | 'test';
  readonly from: number;
  readonly to: number;
}

export interface PredictionPlan {
  readonly cacheShards: readonly PredictionShard[];
  readonly testShards: readonly PredictionShard[];
}

/** Heartbeat details of fetch, extraction and packing. */
export interface TransferProgress {
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  readonly doneFiles: number;
  readonly totalFiles: number | null;
  readonly current: string;
}
