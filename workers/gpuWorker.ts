import { fileURLToPath } from 'node:url';
import { createGpuActivities } from '../activities/gpuActivities.js';
import { prepareFrameCache } from '../activities/frameCaches.js';
import { DevicePool, deviceLabel, type Device } from '../activities/devices.js';
import { WorkerLimits } from '../activities/workerLimits.js';
import { frameCacheOf, type FrameCache } from '../configs/frameCache.js';
import { taskQueues } from '../configs/queues.js';
import { openStore } from '../storage/openStore.js';
import { checkDevices, deviceProblem } from './devices/checkDevices.js';
import { WorkerFitness } from './fitness/workerFitness.js';
import { giveBack } from './temporal/givenBack.js';
import { runWorkers, workerIdentity, type WorkerProcessOptions } from './temporal/runWorkers.js';
import { TaskBudget, type TaskLimits } from './temporal/taskBudget.js';

/** What a GPU worker does; `all` whichever comes. */
export type GpuWork = 'train' | 'predict' | 'all';

export interface GpuWorkerOptions extends WorkerProcessOptions, TaskLimits {
  /** What it computes on, a stage or shard on each at a time; if absent, one at a time on whatever its processes find. */
  readonly devices?: readonly Device[];
  /** `all` if absent. */
  readonly work?: GpuWork;
  /** Modules of the child processes; ours if absent. */
  readonly trainerModule?: string;
  readonly predictorModule?: string;
  /** As the environment says, if absent. */
  readonly cache?: FrameCache;
  readonly deviceModule?: string;
}

/**
 * Trains and predicts until it is told to stop, or has done what it was to do (`tasks`, `idleSeconds`). TensorFlow is
 * loaded by its child processes only. Before it takes a task it has computed something on each device.
 *
 * @throws NoDevice where none of them can be used.
 */
export async function runGpuWorker(options: GpuWorkerOptions): Promise<void> {
  const { directory, environment = process.env } = options;
  const limits = WorkerLimits.of(directory, environment);
  const { tasks, idleSeconds } = options;
  const isLimited = tasks !== undefined || idleSeconds !== undefined;
  let budget: TaskBudget | undefined;
  const over = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
  const onReady = (): void => {
    if (isLimited) void budget?.watch(over, signal);
    options.onReady?.();
  };
  await runWorkers('gpu', { ...options, signal, onReady }, async ({ stopping, logger, client, tellObstacle }) => {
    const module = options.deviceModule ?? moduleBeside('devices/deviceProcess.js');
    const warn = (text: string): void => logger.warn(text);
    const devices = options.devices && (await checkDevices(options.devices, module, warn, stopping));
    for (const device of devices ?? []) logger.info(`computes on ${describe(device)}`);
    const cache = options.cache ?? frameCacheOf(directory, {}, environment);
    logger.info(await prepareFrameCache(cache, directory));
    const atOnce = devices?.length ?? 1;
    budget = new TaskBudget(atOnce, { tasks, idleSeconds });
    const pool = devices && new DevicePool(devices);
    const fitness = new WorkerFitness({
      budget,
      ...(pool && { devices: pool }),
      tryDevice: (device) => deviceProblem(device, module, stopping),
      client,
      logger,
      onChange: tellObstacle,
      stopping,
    });
    const activities = createGpuActivities({
      openStore,
      trainerModule: options.trainerModule ?? moduleBeside('trainer.js'),
      predictorModule: options.predictorModule ?? moduleBeside('predictor.js'),
      limits,
      cache,
      ...(pool && { devices: pool }),
      fitness,
      client,
      stopping,
    });
    // Who looks at a task queue sees which GPU a worker has.
    const names = (devices ?? []).flatMap(({ name, uuid }) => (uuid === null ? [] : [`${name} ${uuid}`]));
    const identity = [workerIdentity('gpu'), ...names].join(' ');
    const { gpu, predict } = taskQueues(environment);
    const { work = 'all' } = options;
    const queues = [...(work === 'predict' ? [] : [gpu]), ...(work === 'train' ? [] : [predict])];
    const shared = { activities, identity, interceptors: { activity: [giveBack(budget)] } };
    return queues.map((taskQueue) => ({ taskQueue, ...shared, tuner: budget!.tuner() }));
  });
}

function moduleBeside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** `GPU 0, NVIDIA H200 (GPU-1f…, driver 570.86, 139.8 GiB)` */
function describe(device: Device): string {
  const { uuid, driver, memoryBytes } = device;
  const memory = memoryBytes === null ? [] : [`${(memoryBytes / 2 ** 30).toFixed(1)} GiB`];
  const more = [...(uuid === null ? [] : [uuid]), ...(driver === null ? [] : [`driver ${driver}`]), ...memory];
  return more.length === 0 ? deviceLabel(device) : `${deviceLabel(device)} (${more.join(', ')})`;
}
