import type { FrameCache } from '../../configs/frameCache.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { CacheCounts } from '../../datasets/cache/counts.js';
import type { CheckpointReference } from '../../checkpoints/reference.js';
import type { TrainingStage } from '../../configs/schema/training.js';

/**
 * What a GPU worker and its trainer process say to each other, as JSON over Node's IPC channel.
 * The trainer is a child process: a native crash must not take the worker along, nor TensorFlow starve heartbeats.
 */

/** The job of a trainer. Credentials come from its environment, never from here. */
export interface TrainingJob {
  readonly run: string;
  readonly stage: TrainingStage;
  readonly configuration: RunConfiguration;
  /** Names this attempt in the manifest's lease: a zombie of an earlier one is fenced off by it. */
  readonly attempt: string;
  /** Step of the newest checkpoint of its folder that Temporal's history knows of; null or absent if it knows of none. */
  readonly knownStep?: number | null;
  /** A folder of the worker's own for the run's logs; survives attempts, may vanish. */
  readonly workingDirectory: string;
  /** The node's cache of frames; absent: below the folder, as large as the configuration says. */
  readonly cache?: FrameCache;
}

/** What a worker tells its trainer. */
export type TrainerCommand =
  | { readonly kind: 'train'; readonly job: TrainingJob }
  /** The stage is saved first. */
  | { readonly kind: 'stop'; readonly reason: string };

/** What a heartbeat carries of a stage. */
export interface StageProgress {
  readonly stage: TrainingStage;
  readonly step: number;
  readonly totalSteps: number;
  /** Loss of the last logged step; null before the first. */
  readonly loss: number | null;
  readonly stepsPerSecond: number;
  /** The last checkpoint that counts; null before the first. */
  readonly checkpointStep: number | null;
  /** When it was saved, ISO 8601, by its worker's clock; absent before the first, and from workers of earlier versions. */
  readonly checkpointAt?: string;
  /** Bytes read of frames and written of checkpoints by this attempt. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What the cache of frames did in this attempt; absent where there is none, and from workers of earlier versions. */
  readonly cache?: CacheCounts;
  /** Non-finite batches skipped so far. */
  readonly skippedBatches: number;
  /** The last one of this attempt; null before the first, absent from workers of earlier versions. */
  readonly validation?: StageValidation | null;
  /** Where the time of the last steps went, as means in seconds; absent before the first, and from earlier versions. */
  readonly phases?: Readonly<Record<StepPhase, number>>;
  /** Seconds that the last checkpoint took, from the copy until it counted; null before the first of this attempt. */
  readonly checkpointSeconds?: number | null;
}

/** Parts of a step's time: waiting for its batch, the network, the losses, what is shown, what is saved. */
export type StepPhase = 'batch' | 'forward' | 'loss' | 'backward' | 'update' | 'show' | 'save';

/** What a validation came to. */
export interface StageValidation {
  readonly step: number;
  /** Total loss. */
  readonly loss: number;
  /** Mean distance of the scans' points to the predicted surface, mm; null where there are no scans. */
  readonly pointToSurface: number | null;
}

/** What a training activity adds when it tells its workflow of its progress. */
export interface StageReport {
  readonly worker?: string;
  readonly attempt?: number;
  /** What the attempts before this one ended with; absent where there were none. `last`: why the last one ended. */
  readonly interrupted?: { readonly preemptions: number; readonly failures: number; readonly last?: string };
  /** What was warned of so far, the last few; absent where nothing was. */
  readonly warnings?: readonly string[];
}

/** What it knows of its attempts, whichever process counts them. */
export type AttemptsReport = Pick<StageReport, 'interrupted' | 'warnings'>;

/** How a stage ended: seconds are those of the last attempt. */
export interface StageResult {
  readonly stage: TrainingStage;
  readonly step: number;
  readonly loss: number | null;
  readonly checkpoint: CheckpointReference;
  /** Seconds that this attempt took; 0 if the stage had been finished before. */
  readonly seconds: number;
}

/** Why a trainer gives up. What is none of the last three needs a person. */
export type TrainerFault =
  | 'configuration'
  | 'credentials'
  | 'data'
  | 'diverged'
  /** Another attempt has taken over. */
  | 'lease-lost'
  /** This machine cannot do it (its disk), and another can. */
  | 'worker'
  | 'infrastructure';

/** What a trainer tells its worker; nothing comes after `finished`, `stopped` and `failed`. */
export type TrainerEvent =
  | { readonly kind: 'starting'; readonly message: string }
  | { readonly kind: 'progress'; readonly progress: StageProgress }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointReference }
  /** For its log alone. */
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'warning'; readonly message: string }
  /** It goes on when a service is back; sent again and again until then. */
  | { readonly kind: 'waiting'; readonly message: string }
  | { readonly kind: 'finished'; readonly result: StageResult }
  /** Told to stop, and saved (or skipped the save): the activity ends as retryable. */
  | { readonly kind: 'stopped'; readonly step: number; readonly checkpoint: CheckpointReference | null }
  | { readonly kind: 'failed'; readonly fault: TrainerFault; readonly message: string };
