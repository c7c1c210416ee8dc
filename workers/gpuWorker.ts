import { fileURLToPath } from 'node:url';
import { createGpuActivities } from '../activities/gpuActivities.js';
import { WorkerLimits } from '../activities/workerLimits.js';
import { taskQueues } from '../configs/temporal.js';
import { openStore } from '../storage/openStore.js';
import { runWorkers, type WorkerProcessOptions } from './temporal/runWorkers.js';
import { TaskBudget, type TaskLimits } from './temporal/taskBudget.js';

export interface GpuWorkerOptions extends WorkerProcessOptions, TaskLimits {
  /** Stages or shards at once: one GPU, one of them. */
  readonly activitiesAtOnce?: number;
  /** Modules of the child processes; ours if absent. */
  readonly trainerModule?: string;
  readonly predictorModule?: string;
}

/**
 * Trains and predicts until it is told to stop, or has done what it was to do (`tasks`, `idleSeconds`). TensorFlow is
 * loaded by its child processes only.
 */
export async function runGpuWorker(options: GpuWorkerOptions): Promise<void> {
  const { directory, activitiesAtOnce = 1, environment = process.env } = options;
  const limits = WorkerLimits.of(directory, environment);
  const { tasks, idleSeconds } = options;
  const budget = new TaskBudget(activitiesAtOnce, { tasks, idleSeconds });
  const over = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
  const onReady = (): void => {
    if (tasks !== undefined || idleSeconds !== undefined) void budget.watch(over, signal);
    options.onReady?.();
  };
  await runWorkers('gpu', { ...options, signal, onReady }, async (stopping) => {
    const activities = createGpuActivities({
      openStore,
      trainerModule: options.trainerModule ?? moduleBeside('trainer.js'),
      predictorModule: options.predictorModule ?? moduleBeside('predictor.js'),
      limits,
      stopping,
    });
    const isLimited = tasks !== undefined || idleSeconds !== undefined;
    const slots = isLimited ? { tuner: budget.tuner } : { maxConcurrentActivityTaskExecutions: activitiesAtOnce };
    return [{ taskQueue: taskQueues.gpu, activities, ...slots }];
  });
}

function moduleBeside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
