import type { Device } from './devices.js';
import type { Notice } from './notices/notice.js';
import type { DatasetConfiguration } from '../configs/schema/dataset.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { SeriesKind } from '../configs/series/members.js';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import type { SupervisionConfiguration } from '../configs/schema/supervision.js';
import type { RunStep } from '../configs/temporal.js';
import type { TrainingStage } from '../configs/schema/training.js';
import type { TransferProgress } from '../datasets/fetch/progress.js';
import type { PackConfiguration } from '../datasets/pack/packDataset.js';
import type { FolderPlan, FolderPredictionJob, FrameFailure } from '../inference/folders/job.js';
import type { PredictionProgress, PredictionResult } from '../inference/protocol.js';
import type { StageProgress, StageResult } from '../training/process/protocol.js';
import type { Evaluation } from '../evaluation/types.js';

/** What every activity of a run is given. A few kilobytes, no secret, no bulk. */
export interface RunInput {
  readonly run: string;
  readonly configuration: RunConfiguration;
}

/** What the data path's activities know of the data, from a run's configuration or from a fetch by itself. */
export interface DataConfiguration {
  readonly dataset: PackConfiguration &
    Pick<DatasetConfiguration, 'source' | 'downloads' | 'extracted' | 'deleteDownloads' | 'downloadsAtOnce'>;
  /** null: folders on the worker's disk are what is wanted. */
  readonly storage: StorageConfiguration | null;
  readonly supervision: SupervisionConfiguration;
}

/** The input of fetching and packing. */
export interface DataInput {
  /** Name of the run, or of the fetch. */
  readonly run: string;
  readonly configuration: DataConfiguration;
}

/** A stage is to be trained to more steps than it was meant to be. */
export interface StageExtension {
  readonly stage: TrainingStage;
  /** The step counter's value at which it ends. */
  readonly iterations: number;
}

export interface PrepareRunInput extends RunInput {
  /** Only what these need is asked for; all of a run's if absent. */
  readonly steps?: readonly RunStep[];
}

/** What a workflow knows of a packed data set. */
export interface DatasetSummary extends MaybeInterrupted {
  readonly name: string;
  readonly frames: Readonly<Record<'train' | 'validation' | 'test', number>>;
  readonly unusable: number;
  readonly vertexCount: number;
  readonly bytes: number;
}

/** On any data worker. */
export interface DataActivities {
  /** Refuses a configuration that this fleet cannot run, before anything starts, and stores it with its run. */
  prepareRun(input: PrepareRunInput): Promise<void>;
  /** Stores the configuration of a run that is running with more iterations of a stage, unless that cannot be. */
  extendStage(input: RunInput & StageExtension): Promise<void>;
  /** The summary of a packed data set that is there already; null if it must be made. */
  findDataset(input: DataInput): Promise<DatasetSummary | null>;
  /** The task queue of one data worker, whose disk the next steps share. */
  claimDataWorker(): Promise<string>;
  /** Shards that are still to do, of the refinement's input or of the test set. */
  planPredictions(input: RunInput & { readonly purpose: PredictionShard['purpose'] }): Promise<PredictionPlan>;
  /** Gives a run of a series the checkpoints of another that it goes on from, unless it has them. */
  branchMember(input: BranchInput): Promise<MaybeInterrupted>;
  /** Notes in the store which runs a series has, before the first is started. */
  storeSeries(input: SeriesDescription): Promise<void>;
  /** Writes the page about a series, from what its runs have measured. */
  reportSeries(input: SeriesDescription): Promise<void>;
  /** Calls the hook of this worker's owner, if there is one. What goes wrong there is logged, and no failure. */
  notify(notice: Notice): Promise<void>;
  /** Which shards of the test set are still to be measured. */
  planEvaluation(input: RunInput): Promise<EvaluationPlan & MaybeInterrupted>;
  /** What is measured lies in the run's store. */
  evaluateShard(input: EvaluateShardInput): Promise<MaybeInterrupted>;
  /**
   * Puts together what was measured of all shards, and measures what is missing. Returns only the table: the figures of every
   * frame stay in the object store.
   */
  evaluate(input: RunInput & { readonly token?: string }): Promise<EvaluationSummary>;
}

/** A run that goes on from another's checkpoint. */
export interface BranchInput extends RunInput {
  readonly from: { readonly run: string; readonly stage: TrainingStage };
}

/** What a data worker needs of a series. */
export interface SeriesDescription {
  readonly run: string;
  readonly kind: SeriesKind;
  readonly members: readonly { readonly run: string; readonly label: string }[];
  readonly storage: StorageConfiguration;
}

/** On the queue of the data worker that has the volumes on its disk. */
export interface DataWorkerActivities {
  /** Refuses data that cannot be trained on for want of something on this worker, before the first byte is fetched. */
  proveData(input: DataInput): Promise<void>;
  fetchBundle(input: DataInput & { readonly bundle: string }): Promise<FetchSummary>;
  extractBundle(input: DataInput & { readonly bundle: string }): Promise<ExtractSummary>;
  packDataset(input: DataInput): Promise<DatasetSummary>;
  /** Files that are no frames (the published weights) go into the object store as they are. */
  packFiles(input: DataInput & { readonly bundle: string }): Promise<FilesSummary>;
}

/** What a GPU worker does, by the registered names. */
export interface GpuActivities {
  trainStage(input: RunInput & TrainStageInput): Promise<StageResult & MaybeInterrupted>;
  /** Of its failures the first are returned; the shard's marker in the object store has all. */
  predictShard(input: ShardInput): Promise<PredictionResult & MaybeInterrupted>;
  /** What is to be predicted of folders; removes predictions that are to be replaced. */
  planFolderPrediction(input: FolderPredictionInput): Promise<FolderPlan & MaybeInterrupted>;
  /** The part of the list that the job names. */
  predictFolderShard(input: FolderPredictionInput): Promise<PredictionResult & MaybeInterrupted>;
  /** Writes beside the predictions which frames have none, and why. */
  noteFailedFrames(input: FolderPredictionInput & { readonly failures: readonly FrameFailure[] }): Promise<void>;
}

/**
 * The input of the prediction of a shard: there may be thousands, and each input stays in the history. The run's
 * configuration lies in its store; workflows of earlier versions sent it along.
 */
export interface ShardInput {
  readonly run: string;
  readonly shard: PredictionShard;
  readonly storage?: StorageConfiguration;
  readonly configuration?: RunConfiguration;
}

export interface TrainStageInput {
  readonly stage: TrainingStage;
  /** Step of the newest checkpoint of the stage's folder that the workflow knows of; absent if it knows of none. */
  readonly knownStep?: number;
}

/** Prediction of folders by itself: there is no run that it belongs to. */
export interface FolderPredictionInput {
  /** Its name. */
  readonly run: string;
  readonly job: FolderPredictionJob;
}

/** How often work was begun anew, and why: pre-emptions are no faults. */
export interface Interruptions {
  /** Stopped in an orderly way (spot pre-emption, worker update). */
  readonly preemptions: number;
  /** Ended by a fault: the process, its worker, a service. */
  readonly failures: number;
  /** The attempts of trainers and predictors, oldest first; those of workers of earlier versions are not there. */
  readonly attempts?: readonly AttemptRecord[];
  /** What its trainers and predictors warned of: a damaged checkpoint that was put aside, a skipped batch, … */
  readonly warnings?: readonly string[];
}

/** One try of a trainer or predictor. */
export interface AttemptRecord {
  /** Temporal's number, which begins anew where a run was paused or resumed. */
  readonly attempt: number;
  /** Human-readable: host and process. */
  readonly worker: string;
  /** ISO 8601. */
  readonly beganAt: string;
  /** That it took; of one whose worker was lost, to its last sign of life. */
  readonly seconds: number;
  /** Training steps; null where it made none, and of predictions. */
  readonly fromStep: number | null;
  readonly toStep: number | null;
  /** Why it ended; null while it runs. */
  readonly end: string | null;
  /** Its worker was at fault, and not the run: it was taken out, and the next attempt was another's. */
  readonly unfit?: true;
}

/** Of a result: of all its attempts. Absent in those of versions that did not report it. */
export interface MaybeInterrupted {
  readonly interruptions?: Interruptions;
}

export interface FetchSummary extends MaybeInterrupted {
  readonly bundle: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that came over the network this time. */
  readonly fetchedBytes: number;
}

/** What was stored below `prefix`. */
export interface FilesSummary extends MaybeInterrupted {
  readonly prefix: string;
  readonly files: number;
  readonly bytes: number;
}

export interface ExtractSummary extends MaybeInterrupted {
  readonly bundle: string;
  readonly files: number;
  readonly bytes: number;
}

/** A contiguous range of frames, in the order of the data set's index: of train and validation, or of test. */
export interface PredictionShard {
  /** Its name in the object store; test shards are numbered on from the others. */
  readonly index: number;
  readonly purpose: 'refinement-input' | 'test';
  readonly from: number;
  /** Excluded. */
  readonly to: number;
}

/** The shards that are left to predict. */
export interface PredictionPlan {
  readonly shards: readonly PredictionShard[];
  /** Frames of all shards, done or not. */
  readonly frames: number;
}

/** A contiguous range of test frames, where sequences follow each other. */
export interface EvaluationRange {
  readonly index: number;
  readonly from: number;
  /** Excluded. */
  readonly to: number;
}

/** The shards that are left to measure. */
export interface EvaluationPlan {
  /** Names what is measured: these predictions of this data set, in shards of this size. */
  readonly token: string;
  readonly shards: readonly EvaluationRange[];
  /** Of all shards, measured or not. */
  readonly frames: number;
}

/** The run's configuration lies in its store: there may be many shards, and each input stays in the history. */
export interface EvaluateShardInput {
  readonly run: string;
  readonly storage: StorageConfiguration;
  readonly token: string;
  readonly shard: EvaluationRange;
}

/** The part of an evaluation that fits a payload. */
export type EvaluationSummary = Omit<Evaluation, 'perFrame' | 'perSequence' | 'leftOut' | 'regions'> &
  MaybeInterrupted & {
    /** What must not be overlooked; absent in those of versions that did not report it. */
    readonly warnings?: readonly string[];
  };

/** What the heartbeats of every long activity carry: what `status` and the Temporal UI show of it while it runs. */
export type ActivityHeartbeat =
  | ({ readonly kind: 'training'; readonly progress: StageProgress | null } & ProcessHeartbeat)
  | ({ readonly kind: 'prediction'; readonly progress: PredictionProgress | null } & ProcessHeartbeat)
  | ({ readonly kind: 'transfer'; readonly progress: TransferProgress; readonly preemptions?: number } & MaybeWaiting);

interface MaybeWaiting {
  /** What it waits for, a store that is away, and goes on when that is back; null while it gets on. */
  readonly waitsFor?: string | null;
}

interface ProcessHeartbeat extends MaybeWaiting {
  /** What it computes on; absent where the worker does not know which there are, or is of an earlier version. */
  readonly device?: Device;
  /** What the process said last: what it is about to do, or a warning. */
  readonly message: string | null;
  /** What it warned of last; absent until it has. */
  readonly warning?: string;
  /** How often the work was stopped in an orderly way (spot pre-emption, worker update) so far; failures are not counted. */
  readonly preemptions: number;
  /** How often a worker gave the task back that had got it beside another's; such an attempt is none. Absent: never. */
  readonly givenBack?: number;
  /** This attempt and those before it; absent from workers of earlier versions. */
  readonly attempts?: readonly AttemptRecord[];
  /** What they warned of, each once. */
  readonly warnings?: readonly string[];
}
