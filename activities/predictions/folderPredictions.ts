import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { writeFailedFrames } from '../../datasets/failedFrames.js';
import type { FolderPlan, FolderPredictionJob, FrameFailure } from '../../inference/folders/job.js';
import type { PredictionProgress, PredictionResult, PredictorStart } from '../../inference/protocol.js';
import type { DevicePool } from '../devices.js';
import { userFault } from '../failures.js';
import type { Fitness } from '../fitness.js';
import { readPredictorEvent } from '../processes/processEvents.js';
import { runSupervised } from '../processes/supervisedActivity.js';
import type { FolderPredictionInput, GpuActivities } from '../types.js';
import type { WorkerLimits } from '../workerLimits.js';

export interface FolderPredictionDependencies {
  readonly predictorModule: string;
  /** What inputs may name; logs go to the `runFolder`. */
  readonly limits: WorkerLimits;
  readonly devices?: DevicePool;
  readonly fitness?: Fitness;
  /** The worker is told to stop. */
  readonly stopping: AbortSignal;
}

type FolderActivities = Pick<GpuActivities, 'planFolderPrediction' | 'predictFolderShard' | 'noteFailedFrames'>;

/** Prediction of folders that every GPU worker sees under the same paths. */
export function createFolderActivities(dependencies: FolderPredictionDependencies): FolderActivities {
  const { limits } = dependencies;
  const predictor = async <Result extends object>(
    { run, job }: FolderPredictionInput,
    kind: 'plan-folders' | 'predict-folders',
  ) => {
    checkJob(job, limits);
    const start: PredictorStart = { kind, job };
    return runSupervised<PredictionProgress, Result>({
      kind: 'prediction',
      name: 'predictor',
      modulePath: dependencies.predictorModule,
      configuration: job.configuration,
      run,
      workingDirectory: limits.runFolder(run),
      logName: 'predictions',
      start,
      readEvent: readPredictorEvent<Result>,
      fitness: dependencies.fitness,
      devices: dependencies.devices,
      stopping: dependencies.stopping,
    });
  };
  return {
    planFolderPrediction: (input) => predictor<FolderPlan>(input, 'plan-folders'),
    predictFolderShard: (input) => predictor<PredictionResult>(input, 'predict-folders'),
    async noteFailedFrames({ job, failures }) {
      checkJob(job, limits);
      await noteFailedFrames(job, failures);
    },
  };
}

/** @throws ConfigurationInvalid for a folder, file or store that this worker's owner does not allow. */
function checkJob(job: FolderPredictionJob, limits: WorkerLimits): void {
  const { models, template, list, images, calibrations, coarsePredictions, outputs } = job;
  const fileOf = (reference: { readonly kind: string; readonly path?: string } | null) => reference?.path ?? null;
  const named: Readonly<Record<string, string | null>> = {
    'the images’ folder': images,
    'the calibrations’ folder': calibrations,
    'the list': list.path,
    'the coarse predictions’ folder': coarsePredictions,
    'the output of the coarse stage': outputs.coarse,
    'the output of the refinement': outputs.refinement,
    'the coarse model': fileOf(models.coarse),
    'the refinement model': fileOf(models.refinement),
    'the template': fileOf(template),
  };
  for (const [setting, path] of Object.entries(named)) if (path !== null) limits.checkFolder(setting, path);
  limits.checkStore(job.configuration.storage);
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
