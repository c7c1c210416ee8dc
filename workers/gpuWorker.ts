import { fileURLToPath } from 'node:url';
import { createGpuActivities } from '../activities/gpuActivities.js';
import { WorkerLimits } from '../activities/workerLimits.js';
import { taskQueues } from '../configs/temporal.js';
import { openStore } from '../storage/openStore.js';
import { runWorkers, type WorkerProcessOptions } from './temporal/runWorkers.js';

export interface GpuWorkerOptions extends WorkerProcessOptions {
  /** Stages or shards at once: one GPU, one of them. */
  readonly activitiesAtOnce?: number;
  /** Modules of the child processes; ours if absent. */
  readonly trainerModule?: string;
  readonly predictorModule?: string;
}

/** Trains and predicts until it is told to stop. TensorFlow is loaded by its child processes only. */
export async function runGpuWorker(options: GpuWorkerOptions): Promise<void> {
  const { directory, activitiesAtOnce = 1, environment = process.env } = options;
  const limits = WorkerLimits.of(directory, environment);
  await runWorkers('gpu', options, async (stopping) => {
    const activities = createGpuActivities({
      openStore,
      trainerModule: options.trainerModule ?? moduleBeside('trainer.js'),
      predictorModule: options.predictorModule ?? moduleBeside('predictor.js'),
      limits,
      stopping,
    });
    return [{ taskQueue: taskQueues.gpu, activities, maxConcurrentActivityTaskExecutions: activitiesAtOnce }];
  });
}

function moduleBeside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
