import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfiguration } from '../../configs/load.js';
import { environmentFor } from '../../configs/processEnvironment.js';
import { choosePorts } from '../../infra/services/index.js';
import { openStore } from '../../storage/openStore.js';
import { s3At } from '../../storage/s3/s3Client.js';
import type { ObjectStore } from '../../storage/types.js';
import { listenForStop } from '../../workers/lifecycle/stopRequest.js';
import { useLocalObjectStore } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import type { LastRun } from '../quickstart/lastRun.js';
import { findLocalServices } from '../machine/services.js';
import { syncEvents } from './syncEvents.js';
import { readJson, workspace, type Workspace } from '../machine/workspace.js';
import { python, tensorboardFolder } from './install.js';

export interface TensorboardOptions {
  readonly run: string | undefined;
  readonly port: number;
  readonly directory: string | undefined;
  /** Says where the object store is, where no services of this machine run. */
  readonly config: string | undefined;
}

const syncEverySeconds = 15;
/** Seconds that TensorBoard has to end. */
const killAfterSeconds = 5;

/** Runs TensorBoard on a run's event files until Ctrl-C; they are kept up to date meanwhile. @returns the exit code. */
export async function tensorboard(options: TensorboardOptions): Promise<number> {
  const space = workspace(options.directory);
  const run = options.run ?? lastRunName(space);
  const stopped = listenForStop();
  const events = join(space.events, run);
  const store = await storeOf(space, options.config);
  if (store !== null) {
    mkdirSync(events, { recursive: true });
    const files = await syncEvents(store, run, events, stopped.signal);
    if (files.length === 0) throw new CommandError(`${store.description} has no events of ${run} (yet).`);
  } else if (!existsSync(events)) {
    throw new CommandError(
      `There are no event files of ${run} at ${events}. Start its services (tempeh-flow dev), or name its object store with --config.`,
    );
  }
  const folder = await tensorboardFolder(stopped.signal);
  const [port = options.port] = await choosePorts([options.port]);
  const ended = new AbortController();
  const signal = AbortSignal.any([stopped.signal, ended.signal]);
  const syncing = store === null ? Promise.resolve() : keepSyncing(store, run, events, signal);
  const code = await runTensorboard(folder, events, port, stopped.signal);
  ended.abort();
  await syncing;
  stopped.release();
  return code;
}

function lastRunName(space: Workspace): string {
  const name =
    readJson<LastRun>(space.lastRun)?.run ?? readJson<{ run: string }>(join(space.directory, 'current-run.json'))?.run;
  if (name === undefined) throw new CommandError('Which run? None of npm start is known here.', exitCodes.usage);
  return name;
}

async function storeOf(space: Workspace, config: string | undefined): Promise<ObjectStore | null> {
  useLocalObjectStore(space);
  if (config !== undefined) return openStore((await loadConfiguration(config)).storage);
  const local = findLocalServices(space);
  if (local === null) return null;
  return openStore(s3At(local.objectStore));
}

async function runTensorboard(folder: string, events: string, port: number, signal: AbortSignal): Promise<number> {
  const options = ['--logdir', events, '--host', '127.0.0.1', '--port', String(port), '--reload_multifile', 'true'];
  const child = spawn(python, ['-m', 'tensorboard.main', ...options], {
    env: { ...environmentFor('tensorboard'), PYTHONPATH: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let late: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    late = setTimeout(() => child.kill('SIGKILL'), killAfterSeconds * 1000);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => clearTimeout(late));
  return signal.aborted || code === 0 ? exitCodes.ok : exitCodes.failed;
}

async function keepSyncing(store: ObjectStore, run: string, directory: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(syncEverySeconds * 1000, undefined, { signal }).catch(() => undefined);
    // A store that is away for a while is asked again.
    if (!signal.aborted) await syncEvents(store, run, directory, signal).catch(() => undefined);
  }
}
