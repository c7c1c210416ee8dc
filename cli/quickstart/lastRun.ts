import type { EvaluationSummary } from '../../activities/types.js';
import type { RunStep } from '../../configs/temporal.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { FullTrainingResult, StepState } from '../../workflows/types.js';

/** `.tempeh/last-run.json`: what the last complete run of `npm start` came to, and where it is. */
export interface LastRun {
  readonly version: 1;
  readonly run: string;
  /** Of the configuration without the host's address: another configuration is another run. */
  readonly configurationSha256: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    /** Address of the UI. */
    readonly uiUrl: string;
    /** The run's page in it. */
    readonly workflowUrl: string;
  };
  readonly objectStore: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    /** JSON, readable by its owner alone. */
    readonly credentialsFile: string;
  };
  /** Folder of the event files: what TensorBoard is given as its log directory. */
  readonly events: string;
  /** null where there is none. */
  readonly report: string | null;
  /** Wall-clock seconds and outcome of each step, in their order. */
  readonly steps: readonly { readonly step: RunStep; readonly seconds: number | null; readonly note: string | null }[];
  readonly stages: readonly {
    readonly stage: TrainingStage;
    readonly step: number;
    readonly loss: number | null;
    readonly seconds: number | null;
    /** Key prefix of the final checkpoint in the bucket. */
    readonly checkpoint: string;
    /** Hex SHA-256 of its `model.safetensors`. */
    readonly modelSha256: string;
  }[];
  /** null where there is no test set. */
  readonly evaluation: EvaluationSummary | null;
}

/** What a complete run came to, in the shape of the file. */
export function lastRunOf(
  result: FullTrainingResult,
  steps: readonly StepState[],
  rest: Pick<
    LastRun,
    'run' | 'configurationSha256' | 'startedAt' | 'finishedAt' | 'temporal' | 'objectStore' | 'events' | 'report'
  >,
): LastRun {
  const secondsOf = (name: string): number | null => steps.find(({ step }) => step === name)?.seconds ?? null;
  return {
    version: 1,
    ...rest,
    steps: steps.map(({ step, seconds, note }) => ({ step, seconds, note })),
    stages: result.stages.map(({ stage, step, loss, checkpoint }) => ({
      stage,
      step,
      loss,
      seconds: secondsOf(stage),
      checkpoint: checkpoint.key,
      modelSha256: checkpoint.modelSha256,
    })),
    evaluation: result.evaluation,
  };
}
