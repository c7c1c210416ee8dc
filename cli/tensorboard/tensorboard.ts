import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { configurationOfRun } from '../store/ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { findLocalServices } from '../machine/services.js';
import { fetchEvents, syncEvents } from './syncEvents.js';
import { readJson, workspace, type Workspace } from '../machine/workspace.js';
import { python, tensorboardFolder } from './install.js';

export interface TensorboardOptions extends StoreOptions {
  /** The last of npm start if there is none. */
  readonly runs: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly directory: string | undefined;
}

const syncEverySeconds = 15;
/** Seconds that TensorBoard has to end. */
const killAfterSeconds = 5;

/** A run that is shown. */
interface ShownRun {
  readonly run: string;
  readonly events: string;
  /** null: its files are here, and nothing is known of a store. */
  readonly store: ObjectStore | null;
}

/** Runs TensorBoard on the event files of runs until Ctrl-C; they are kept up to date meanwhile. @returns the exit code. */
export async function tensorboard(options: TensorboardOptions): Promise<number> {
  const space = workspace(options.directory);
  const runs = options.runs.length > 0 ? options.runs : [lastRunName(space)];
  const stopped = listenForStop();
  // Several are beside each other in a folder of their own: TensorBoard shows all that it finds below one.
  const folderOfAll = runs.length === 1 ? join(space.events, runs[0]!) : join(space.events, runs.join('+'));
  const shown: ShownRun[] = [];
  for (const run of runs) {
    const events = runs.length === 1 ? folderOfAll : join(folderOfAll, run);
    shown.push(await prepare(run, events, await storeOf(space, run, events, options), stopped.signal));
  }
  const folder = await tensorboardFolder(stopped.signal);
  const [port = options.port] = await choosePorts([options.port]);
  const ended = new AbortController();
  const signal = AbortSignal.any([stopped.signal, ended.signal]);
  const syncing = Promise.all(shown.map((each) => keepSyncing(each, signal)));
  const code = await runTensorboard(folder, folderOfAll, { host: options.host, port }, stopped.signal);
  ended.abort();
  await syncing;
  stopped.release();
  return code;
}

/** Fetches a run's files. @throws CommandError where there are none. */
async function prepare(run: string, events: string, store: ObjectStore | null, signal: AbortSignal): Promise<ShownRun> {
  if (store !== null) await fetchEvents(store, run, events, signal);
  return { run, events, store };
}

function lastRunName(space: Workspace): string {
  const name =
    readJson<LastRun>(space.lastRun)?.run ?? readJson<{ run: string }>(join(space.directory, 'current-run.json'))?.run;
  if (name === undefined) throw new CommandError('Which run? None of npm start is known here.', exitCodes.usage);
  return name;
}

/** Of --config, of the services that run here, or what Temporal knows of the run. */
async function storeOf(
  space: Workspace,
  run: string,
  events: string,
  options: TensorboardOptions,
): Promise<ObjectStore | null> {
  useLocalObjectStore(space);
  const local = findLocalServices(space);
  const isNamed = options.config !== undefined || options.address !== undefined || options.set.length > 0;
  if (!isNamed && local !== null) return openStore(s3At(local.objectStore));
  if (!isNamed && existsSync(events)) return null;
  return openStore((await configurationOfRun(run, options)).storage);
}

async function runTensorboard(
  folder: string,
  events: string,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<number> {
  const options = ['--logdir', events, '--host', host, '--port', String(port), '--reload_multifile', 'true'];
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

async function keepSyncing({ run, events, store }: ShownRun, signal: AbortSignal): Promise<void> {
  if (store === null) return;
  while (!signal.aborted) {
    await sleep(syncEverySeconds * 1000, undefined, { signal }).catch(() => undefined);
    // A store that is away for a while is asked again.
    if (!signal.aborted) await syncEvents(store, run, events, signal).catch(() => undefined);
  }
}
