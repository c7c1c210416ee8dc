import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { FrameCache } from '../configs/frameCache.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import type { PredictionJob, PredictionProgress, PredictionResult } from '../inference/protocol.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import type { StageProgress, StageResult, TrainingJob } from '../training/process/protocol.js';
import { createFolderActivities } from './predictions/folderPredictions.js';
import { knownStepOf } from './runs/knownStep.js';
import { onPatientStore } from './waiting/onPatientStore.js';
import { runConfigurationOf } from './runs/prepareRun.js';
import { openShard } from './predictions/predictionShards.js';
import { readPredictorEvent, readTrainerEvent } from './processes/processEvents.js';
import { stageSignals } from './runs/stageSignals.js';
import { runSupervised } from './processes/supervisedActivity.js';
import type { DevicePool } from './devices.js';
import { runObstacle, type Fitness } from './fitness.js';
import { checkPlace } from './places.js';
import type { GpuActivities } from './types.js';
import type { WorkerLimits } from './workerLimits.js';

export interface GpuActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;
  /** The modules of the child processes. */
  readonly trainerModule: string;
  readonly predictorModule: string;
  /** What inputs may name; logs of a run go to its `runFolder`. */
  readonly limits: WorkerLimits;
  /** Of frames, for all runs; if absent, each has one in its folder. */
  readonly cache?: FrameCache;
  /** One for each process; absent: they compute on what they find. */
  readonly devices?: DevicePool;
  /** Called where this worker is at fault, and not a run. */
  readonly fitness?: Fitness;
  /** Over the connection that there is then. */
  readonly client: () => Client;
  /** Aborted when the worker is told to stop: what runs saves, and ends as retryable. */
  readonly stopping: AbortSignal;
}

/** What a GPU worker does: each activity is a child process that has the GPU to itself. */
export function createGpuActivities(dependencies: GpuActivityDependencies): GpuActivities {
  const { limits, devices, fitness, stopping } = dependencies;
  const openStore = limits.stores(dependencies.openStore);
  /** Stores that have answered this worker: credentials that they refuse later have expired. */
  const proven = new Set<string>();
  const provenFor = ({ storage }: RunConfiguration) => {
    const name = JSON.stringify(storage);
    return { isProven: () => proven.has(name), prove: () => void proven.add(name) };
  };
  const { cache } = dependencies;
  const cacheFor = ({ loader }: RunConfiguration): { readonly cache?: FrameCache } => {
    if (cache === undefined) return {};
    if (cache.limitBytes !== null && cache.limitBytes !== loader.cacheBytes) {
      const { log } = Context.current();
      log.info(
        `the cache's limit is the worker's ${cache.limitBytes} bytes, not loader.cacheBytes ${loader.cacheBytes}`,
      );
    }
    return { cache };
  };
  const obstacleOf = (run: string, configuration: RunConfiguration) => () =>
    runObstacle(run, configuration, limits, openStore);
  /** A worker that does not see what a run needs, or is refused, is no use to it: others are, if there are any. */
  const orTakenOut = async <T>(
    run: string,
    configuration: RunConfiguration,
    work: () => T | Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (stopping.aborted || Context.current().cancellationSignal.aborted) throw error;
      const reason = await obstacleOf(run, configuration)();
      if (reason !== null && fitness && (await fitness.hasOthers([]))) {
        fitness.takeOut(reason, async () => ((await fitness.hasOthers([])) ? obstacleOf(run, configuration)() : null));
      }
      throw error;
    }
  };
  return {
    ...createFolderActivities(dependencies),

    async trainStage({ run, configuration, stage, knownStep: told }) {
      const workingDirectory = limits.runFolder(run);
      limits.checkStore(configuration.storage);
      await orTakenOut(run, configuration, () => checkPlace(configuration.dataset, limits));
      const knownStep = knownStepOf(stage, Context.current().info.heartbeatDetails, told);
      const attempt = attemptName();
      const cache = cacheFor(configuration);
      const job: TrainingJob = { run, stage, configuration, attempt, knownStep, workingDirectory, ...cache };
      const { isProven, prove } = provenFor(configuration);
      const tellWorkflow = stageSignals(Context.current(), dependencies.client);
      return runSupervised<StageProgress, StageResult>({
        kind: 'training',
        name: 'trainer',
        modulePath: dependencies.trainerModule,
        configuration,
        run,
        workingDirectory,
        logName: stage,
        logStore: openStore(configuration.storage),
        start: { kind: 'train', job },
        readEvent: readTrainerEvent,
        onProgress: (progress, report) => {
          prove();
          tellWorkflow(progress, report);
        },
        isProven,
        fitness,
        runObstacle: obstacleOf(run, configuration),
        devices,
        stopping,
      });
    },

    async predictShard({ run, shard, storage, configuration: sent }) {
      const workingDirectory = limits.runFolder(run);
      const stored = (place: StorageConfiguration): Promise<RunConfiguration> =>
        onPatientStore(
          (listener) => openStore(place, listener),
          stopping,
          (store) => runConfigurationOf(store, run),
        );
      const configuration = sent ?? (await stored(storage!));
      await orTakenOut(run, configuration, () => checkPlace(configuration.dataset, limits));
      const { isProven, prove } = provenFor(configuration);
      const onStore = <T>(work: (store: ObjectStore) => Promise<T>): Promise<T> =>
        onPatientStore((listener) => openStore(configuration.storage, listener), stopping, work);
      const open = () => onStore((store) => openShard(store, run, configuration, shard));
      const { frames, close } = await orTakenOut(run, configuration, open);
      const stages = shard.purpose === 'test' ? 'both' : 'coarse';
      const cache = cacheFor(configuration);
      const job: PredictionJob = { run, configuration, stages, frames, workingDirectory, ...cache };
      const result = await runSupervised<PredictionProgress, PredictionResult>({
        kind: 'prediction',
        name: 'predictor',
        modulePath: dependencies.predictorModule,
        configuration,
        run,
        workingDirectory,
        logName: 'predictions',
        logStore: openStore(configuration.storage),
        start: { kind: 'predict', job },
        readEvent: readPredictorEvent,
        onProgress: prove,
        isProven,
        fitness,
        runObstacle: obstacleOf(run, configuration),
        devices,
        stopping,
      });
      await onStore(() => close(result.failures));
      return toldOf(result);
    },
  };
}

/** Failures of a shard whose reasons go into the history. */
const failuresTold = 10;

function toldOf<Result extends PredictionResult>(result: Result): Result {
  const { failures } = result;
  return failures.length <= failuresTold
    ? result
    : { ...result, failures: failures.slice(0, failuresTold), failed: failures.length };
}

/** Unlike any other attempt's, also after an operator reset the counter. Names checkpoints: letters and digits only. */
function attemptName(): string {
  return `${Context.current().info.attempt}x${randomUUID().slice(0, 8)}`;
}
