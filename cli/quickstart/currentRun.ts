import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { findRunIfKnown } from '../../client/runs/findRun.js';
import { resumeRun, startRun } from '../../client/runs/runs.js';
import { findRunFiles, storeRunFiles } from '../runs/runFiles.js';
import { runName } from '../runs/start.js';
import { portOf } from '../machine/services.js';
import { readJson, writeJson, type Workspace } from '../machine/workspace.js';
import type { QuickstartJob } from './job.js';
import type { LastRun } from './lastRun.js';

/** The run that `npm start` works on: written before it is started, so that an interrupted start finds it. */
interface CurrentRun {
  readonly run: string;
  readonly configurationSha256: string;
  readonly hostAddress: string;
  /** Fingerprint of the data that it trains on. */
  readonly fingerprint: string;
}

/** Seconds until a worker that was just started answers, on a machine that is busy. */
const workerSeconds = 60;

export interface ChooseRunOptions {
  readonly client: Client;
  readonly store: ObjectStore;
  readonly job: QuickstartJob;
  /** With the host's present address, or the folder's path. */
  readonly configuration: RunConfiguration;
  /** Fingerprint of the data. */
  readonly fingerprint: string;
  readonly signal: AbortSignal;
}

function file(space: Workspace): string {
  return join(space.directory, 'current-run.json');
}

/** The port that the miniature's host had last; null where there was none. */
export function lastHostPort(space: Workspace): number | null {
  return portOf(readJson<CurrentRun>(file(space))?.hostAddress);
}

/** Fingerprint of the data of the run that this start goes on with; null where it begins another. */
export function interruptedData({ space, configurationSha256, fresh }: QuickstartJob): string | null {
  const current = readJson<CurrentRun>(file(space));
  if (fresh || current?.configurationSha256 !== configurationSha256) return null;
  return typeof current.fingerprint === 'string' ? current.fingerprint : null;
}

/** The run that is complete and to be shown; null where there is something to train, such as what `--fresh` began. */
export function completeRun({ space, configurationSha256, fresh }: QuickstartJob): LastRun | null {
  const last = readJson<LastRun>(space.lastRun);
  if (last === null || fresh || last.configurationSha256 !== configurationSha256) return null;
  const current = readJson<CurrentRun>(file(space));
  const isOvertaken =
    current !== null && current.run !== last.run && current.configurationSha256 === configurationSha256;
  return isOvertaken ? null : last;
}

/**
 * Chooses the run that was interrupted if configuration and data are the same, a new one otherwise; clears away what the
 * workers are not to find.
 *
 * @returns starts it, or goes on with it, and gives its name: to be called once workers run, for what an earlier execution went
 *   through is what they answer.
 */
export async function chooseRun(options: ChooseRunOptions): Promise<() => Promise<string>> {
  const { client, store, job, configuration, fingerprint, signal } = options;
  const { space, configurationSha256, fresh } = job;
  const { name, source } = configuration.dataset;
  const hostAddress = source.kind === 'bundles' ? source.host : '';
  const before = readJson<CurrentRun>(file(space));
  const sameData = before?.fingerprint === fingerprint;
  if (before !== null && !fresh && sameData && before.configurationSha256 === configurationSha256) {
    writeJson(file(space), { ...before, hostAddress } satisfies CurrentRun);
    const goOn = await wayOn(client, before, configuration, hostAddress);
    return async () => {
      await goOn();
      return before.run;
    };
  }
  if (before !== null) await cancelIfRunning(client, before.run);
  // What is packed is found by its name: other data must not be taken for it.
  if (fresh || !sameData) await forgetDataset(store, space, name, signal);
  const run = runName(name, new Date());
  writeJson(file(space), { run, configurationSha256, hostAddress, fingerprint } satisfies CurrentRun);
  return async () => {
    await begin(client, run, configuration);
    return run;
  };
}

/** With the files of this machine that it starts from. */
async function begin(client: Client, run: string, configuration: RunConfiguration): Promise<void> {
  const onNote = (note: string): void => void process.stderr.write(`note: ${note}\n`);
  const files = await findRunFiles(configuration, { what: 'full-training', run, isBranch: false, onNote });
  await storeRunFiles(files, run, configuration);
  await startRun(client, { run, configuration });
}

/** An interrupted run that nobody goes on with must not take the workers' time. */
async function cancelIfRunning(client: Client, run: string): Promise<void> {
  const found = await findRunIfKnown(client, run);
  if (found?.description.status.name === 'RUNNING') await found.handle.terminate('npm start began another run');
}

/** How an interrupted run is gone on with. */
async function wayOn(
  client: Client,
  before: CurrentRun,
  configuration: RunConfiguration,
  hostAddress: string,
): Promise<() => Promise<void>> {
  const { run } = before;
  const found = await findRunIfKnown(client, run);
  if (found === null) return () => begin(client, run, configuration);
  const { name } = found.description.status;
  const goesOn = async (): Promise<void> => undefined;
  if (name === 'COMPLETED') return goesOn;
  if (name === 'RUNNING') {
    if (before.hostAddress === hostAddress) return goesOn;
    // The host's port is taken by now, and the run's configuration names it.
    await found.handle.terminate('the miniature’s host has another address now');
  }
  return async () => {
    await resumeRun(client, run, configuration, workerSeconds);
  };
}

/** Lets the next run fetch, extract and pack anew: `--fresh` runs everything. The generated data stay. */
async function forgetDataset(store: ObjectStore, space: Workspace, name: string, signal: AbortSignal): Promise<void> {
  let batch: string[] = [];
  for await (const { key } of store.list(`${keys.dataset(name)}/`)) {
    signal.throwIfAborted();
    batch.push(key);
    if (batch.length === 500) {
      await store.delete(batch);
      batch = [];
    }
  }
  await store.delete(batch);
  await rm(space.dataWorker, { recursive: true, force: true });
}
