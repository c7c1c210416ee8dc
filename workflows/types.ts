import type { RunStep } from '../configs/temporal.js';
import type { DatasetSummary } from '../activities/types.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { Evaluation } from '../evaluation/types.js';
import type { PredictionProgress } from '../inference/protocol.js';
import type { StageProgress, StageResult } from '../training/protocol.js';

export interface FullTrainingInput {
  readonly run: string;
  readonly configuration: RunConfiguration;
  /** Only these; all if absent. */
  readonly steps?: readonly RunStep[];
}

export interface StepState {
  readonly step: RunStep;
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'left out';
  readonly startedAt: string | null;
  readonly seconds: number | null;
  /** A line of people's: what was done, what failed and what to do. */
  readonly note: string | null;
}

/** What the query `progress` answers. */
export interface RunProgress {
  readonly run: string;
  readonly steps: readonly StepState[];
  readonly training: StageProgress | null;
  readonly predictions: PredictionProgress | null;
  readonly paused: boolean;
}

export interface FullTrainingResult {
  readonly run: string;
  readonly dataset: DatasetSummary | null;
  readonly stages: readonly StageResult[];
  readonly evaluation: Evaluation | null;
}
