import type { RunStep } from '../configs/temporal.js';
import type {
  DatasetSummary,
  EvaluationSummary,
  Interruptions,
  MaybeInterrupted,
  RunInput,
} from '../activities/types.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { SeriesKind, SeriesMember } from '../configs/series/members.js';
import type { TrainingStage } from '../configs/schema/training.js';
import type { FrameFailure } from '../inference/folders/job.js';
import type { PredictionProgress } from '../inference/protocol.js';
import type { StageProgress, StageReport, StageResult } from '../training/process/protocol.js';

/** What a run went through so far, in executions that have ended. */
export type InterruptionsByStep = Readonly<Partial<Record<RunStep, Interruptions>>>;

/** Seconds that steps of a run took in executions that have ended. */
export type SecondsByStep = Readonly<Partial<Record<RunStep, number>>>;

/** Step of the newest checkpoint that is known of each stage, from executions and steps that have ended. */
export type KnownSteps = Readonly<Partial<Record<TrainingStage, number>>>;

/** What the workflow of a step is started with beside its configuration. */
export interface StepInput extends RunInput {
  readonly interruptions?: InterruptionsByStep;
  readonly knownSteps?: KnownSteps;
}

/** What a run is started with. */
export interface FullTrainingInput {
  readonly run: string;
  readonly configuration: RunConfiguration;
  /** Only these; all if absent. */
  readonly steps?: readonly RunStep[];
  readonly interruptions?: InterruptionsByStep;
  readonly knownSteps?: KnownSteps;
  readonly secondsBefore?: SecondsByStep;
}

/** `left out`: not asked for. `paused`: what ran has saved and stopped, or nothing has been started yet. */
export type StepStateName = 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'left out';

/** When and where something failed. */
export interface FailedAt {
  readonly at: string;
  /** Absent where no worker had anything to do with it. */
  readonly worker?: string;
}

/** A step of a run as its workflow knows it. */
export interface StepState {
  readonly step: RunStep;
  readonly state: StepStateName;
  /** In this execution of the run, as an ISO date. */
  readonly startedAt: string | null;
  /** Of all executions of the run; null before it ended. */
  readonly seconds: number | null;
  /** Those of executions that have ended; absent where there are none. */
  readonly secondsBefore?: number;
  /** A human-readable line: what was done, what failed and what to do. */
  readonly note: string | null;
  /** Of one that failed: when, as an ISO date, and on which worker, as `HOST:PID`. Absent from earlier versions. */
  readonly failed?: FailedAt;
  /** Of the trainers and predictors that have ended; absent until one was interrupted. What runs counts its own. */
  readonly interruptions?: Interruptions;
}

/**
 * What the query `progress` answers, of full training and of a single step alike. `training` and `predictions` are the last
 * that were reported to the workflow (stageSignals.ts says how often); what is newer stands in the heartbeats of the running
 * activities, which `describeRun` (client/runs/describeRun.ts) lays over this.
 */
export interface RunProgress {
  readonly run: string;
  readonly steps: readonly StepState[];
  readonly training: (StageProgress & StageReport) | null;
  readonly predictions: PredictionProgress | null;
  /** Test frames that evaluation has measured; absent until it measures, and from workflows of earlier versions. */
  readonly measured?: PredictionProgress;
  /** Why the run failed where no step ran; absent otherwise, and from workflows of earlier versions. */
  readonly failure?: string;
  /** When and on which worker that was. */
  readonly failed?: FailedAt;
  /** Of workers that cannot do its work; absent where there were none, and from workflows of earlier versions. */
  readonly warnings?: readonly string[];
  readonly paused: boolean;
}

/** What the predictions of a run came to. */
export interface PredictionSummary extends MaybeInterrupted {
  readonly frames: number;
  /** Predicted by this execution; the others were there. */
  readonly predicted: number;
  readonly failures: number;
}

/** What a prediction of folders came to. */
export interface FolderPredictionSummary extends PredictionSummary {
  /** The folder that has the predictions, and which frames failed. */
  readonly out: string;
  readonly firstFailures: readonly FrameFailure[];
}

/** The results of all steps of a run. */
export interface FullTrainingResult {
  readonly run: string;
  readonly dataset: DatasetSummary | null;
  readonly stages: readonly StageResult[];
  readonly predictions: PredictionSummary | null;
  readonly evaluation: EvaluationSummary | null;
}

/** What a series of runs is started with. */
export interface SeriesInput {
  readonly run: string;
  readonly kind: SeriesKind;
  readonly members: readonly (SeriesMember & {
    readonly interruptions?: InterruptionsByStep;
    readonly knownSteps?: KnownSteps;
    readonly secondsBefore?: SecondsByStep;
    /** It is complete, and came to this: it is not started again. */
    readonly done?: { readonly evaluation: EvaluationSummary | null };
  })[];
}

/** Where a run of a series is; what it is at itself says its own workflow. */
export interface MemberState {
  readonly run: string;
  readonly label: string;
  readonly state: StepStateName;
  /** A human-readable line: what it waits for, why it failed. */
  readonly note: string | null;
}

/** What the query `seriesProgress` answers. */
export interface SeriesProgress {
  readonly run: string;
  readonly kind: SeriesKind;
  readonly members: readonly MemberState[];
}

/** What a series came to: the evaluation of each of its runs. */
export interface SeriesResult {
  readonly run: string;
  readonly kind: SeriesKind;
  readonly members: readonly {
    readonly run: string;
    readonly label: string;
    readonly evaluation: EvaluationSummary | null;
  }[];
}
