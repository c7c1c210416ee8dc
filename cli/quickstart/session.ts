import {
  startObjectStore,
  startTemporal,
  type ObjectStoreService,
  type TemporalService,
} from '../../infra/services/index.js';
import { objectStoreEnvironment } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { announceServices, lastServices, portOf, type LocalServices } from '../machine/services.js';
import { readJson, type Workspace } from '../machine/workspace.js';
import type { LastRun } from './lastRun.js';
import { launchWorker, type LaunchedWorker } from './workers.js';

/** Services of this machine, for the time of a session. */
export interface Services {
  readonly temporal: TemporalService;
  readonly objectStore: ObjectStoreService;
  /** What clients and workers need of both: addresses and credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** Fulfilled with the reason if one of them ends by itself. */
  readonly lost: Promise<CommandError>;
  stop(): Promise<void>;
}

/**
 * Ports that the services had last are asked for first: a page of the Temporal UI that is open, a `status --follow` and what
 * was written down stay true, also where they are not the usual ones because those are taken.
 */
export function lastPorts(space: Workspace): { temporal: number; ui: number; s3: number } {
  const last: Pick<LocalServices, 'temporal' | 'objectStore'> | null =
    lastServices(space) ?? readJson<LastRun>(space.lastRun);
  return {
    temporal: portOf(last?.temporal.address) ?? 7233,
    ui: portOf(last?.temporal.uiUrl) ?? 8233,
    s3: portOf(last?.objectStore.endpoint) ?? 9000,
  };
}

/** Starts Temporal and the object store side by side, or finds those of `tempeh-flow dev`. */
export async function startServices(space: Workspace, bucket: string, signal: AbortSignal): Promise<Services> {
  const ports = lastPorts(space);
  const settled = await Promise.allSettled([
    startTemporal({ directory: space.temporal, port: ports.temporal, uiPort: ports.ui }),
    startObjectStore({ directory: space.objectStore, port: ports.s3, bucket }),
  ]);
  const [temporal, objectStore] = settled;
  const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.stop()));
  };
  if (temporal.status === 'rejected' || objectStore.status === 'rejected' || signal.aborted) {
    await stop();
    signal.throwIfAborted();
    throw temporal.status === 'rejected'
      ? temporal.reason
      : objectStore.status === 'rejected'
        ? objectStore.reason
        : '';
  }
  if (!temporal.value.reused) announceServices(space, 'quickstart', temporal.value, objectStore.value);
  let stopping = false;
  const lost = Promise.race(
    [temporal.value, objectStore.value].map(async ({ ended, logFile }) => {
      await ended;
      if (stopping) await new Promise(() => undefined);
      return new CommandError(`A service has ended by itself; its log: ${logFile}`, exitCodes.unreachable);
    }),
  );
  return {
    temporal: temporal.value,
    objectStore: objectStore.value,
    environment: {
      TEMPORAL_ADDRESS: temporal.value.address,
      TEMPORAL_NAMESPACE: temporal.value.namespace,
      ...objectStoreEnvironment(objectStore.value),
    },
    lost,
    stop: () => {
      stopping = true;
      return stop();
    },
  };
}

/** A data and a GPU worker; `stop` ends both side by side. */
export async function startWorkers(
  space: Workspace,
  environment: Readonly<Record<string, string>>,
  onRestart: (message: string) => void,
): Promise<{ lost: Promise<CommandError>; stop(): Promise<void> }> {
  const workers: LaunchedWorker[] = [];
  for (const kind of ['data', 'gpu'] as const) workers.push(await launchWorker(kind, space, environment, onRestart));
  return {
    lost: Promise.race(workers.map((worker) => worker.lost)),
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
