import { fork, type ChildProcess } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runGpuWorker, type GpuWorkerOptions } from '../../../workers/gpuWorker.js';
import type { TemporalSettings } from '../../../client/connection/connectionSettings.js';

export const trainerModule = fileURLToPath(new URL('./steppingTrainer.js', import.meta.url));

/** Where the tests' configurations have their store, which no trainer of theirs opens. */
export const storeFolder = '/dev/null/store';

const forked: ChildProcess[] = [];
const ports = new WeakMap<ChildProcess, number>();

/** Ends what {@link forkGpuWorker} started: a worker that outlives a failed test takes the next one's work. */
export function killForkedWorkers(): void {
  for (const worker of forked.splice(0)) if (worker.pid !== undefined) worker.kill('SIGKILL');
}

/**
 * A real GPU worker in a process of its own; returns when it takes work, or with TEMPEH_TEST_UNREADY when it tells its numbers.
 *
 * @param folders that its owner allows beside its own.
 * @param more variables of its own.
 */
export async function forkGpuWorker(
  { address, namespace }: TemporalSettings,
  directory: string,
  folders: readonly string[] = [storeFolder],
  more: NodeJS.ProcessEnv = {},
): Promise<ChildProcess> {
  const module = fileURLToPath(new URL('./gpuWorkerProcess.js', import.meta.url));
  const worker = fork(module, [address, namespace, directory], {
    env: { ...process.env, TEMPEH_FOLDERS: folders.join(delimiter), ...more },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  forked.push(worker);
  await new Promise<void>((resolve) => {
    worker.on('message', ({ port, isReady }: { readonly port: number; readonly isReady: boolean }) => {
      ports.set(worker, port);
      if (isReady || more['TEMPEH_TEST_UNREADY'] !== undefined) resolve();
    });
  });
  return worker;
}

/** Where a worker of `forkGpuWorker` tells its numbers, on this machine. */
export function gpuWorkerPort(worker: ChildProcess): number {
  return ports.get(worker)!;
}

/** What a worker of `forkGpuWorker` answers to a path of its numbers' address. */
export async function askGpuWorker(worker: ChildProcess, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${gpuWorkerPort(worker)}${path}`);
  return { status: response.status, text: await response.text() };
}

/** A real GPU worker in this process while the test runs. */
export async function withGpuWorker(
  options: Pick<GpuWorkerOptions, 'temporal' | 'directory' | 'devices' | 'deviceModule' | 'cache'>,
  test: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const environment = { TEMPEH_FOLDERS: storeFolder };
  const running = runGpuWorker({ ...options, environment, trainerModule, signal: stop.signal, writeLog: () => {} });
  try {
    await Promise.race([test(), running]);
  } finally {
    stop.abort();
    await running;
  }
}
