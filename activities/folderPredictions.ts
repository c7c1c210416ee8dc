import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeFailedFrames } from '../datasets/failedFrames.js';
import type { FolderPlan, FolderPredictionJob, FrameFailure } from '../inference/folders/job.js';
import type { PredictionProgress, PredictionResult, PredictorStart } from '../inference/protocol.js';
import { userFault } from './failures.js';
import { readPredictorEvent } from './processEvents.js';
import { runSupervised } from './supervisedActivity.js';
import type { FolderPredictionInput, GpuActivities } from './types.js';

export interface FolderPredictionDependencies {
  readonly predictorModule: string;
  /** The worker's own folder: logs go to `runs/RUN`. */
  readonly directory: string;
  /** The worker is told to stop. */
  readonly stopping: AbortSignal;
}

type FolderActivities = Pick<GpuActivities, 'planFolderPrediction' | 'predictFolderShard' | 'noteFailedFrames'>;

/** Prediction of folders that every GPU worker sees under the same paths. */
export function createFolderActivities(dependencies: FolderPredictionDependencies): FolderActivities {
  const predictor = <Result extends object>(
    { run, job }: FolderPredictionInput,
    kind: 'plan-folders' | 'predict-folders',
  ) => {
    const start: PredictorStart = { kind, job };
    return runSupervised<PredictionProgress, Result>({
      kind: 'prediction',
      name: 'predictor',
      modulePath: dependencies.predictorModule,
      configuration: job.configuration,
      workingDirectory: join(dependencies.directory, 'runs', run),
      logName: 'predictions',
      start,
      readEvent: readPredictorEvent<Result>,
      stopping: dependencies.stopping,
    });
  };
  return {
    planFolderPrediction: (input) => predictor<FolderPlan>(input, 'plan-folders'),
    predictFolderShard: (input) => predictor<PredictionResult>(input, 'predict-folders'),
    noteFailedFrames: ({ job, failures }) => noteFailedFrames(job, failures),
  };
}

/** Beside the predictions; what an earlier prediction noted there is gone where now none has failed. */
async function noteFailedFrames(
  { images, outputs }: FolderPredictionJob,
  failures: readonly FrameFailure[],
): Promise<void> {
  const out = outputs.refinement ?? outputs.coarse;
  if (out === null) return;
  // Without the shared folders the note would be made on this worker's own disk, where nobody looks.
  if (!(await stat(images).catch(() => null))?.isDirectory()) {
    const todo = 'Every GPU worker needs the folders under the same paths (a shared file system)';
    throw userFault('ConfigurationInvalid', `${images}: ${hostname()} sees no such folder. ${todo}.`);
  }
  await writeFailedFrames(out, failures);
}
