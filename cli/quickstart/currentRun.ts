import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { findRun, resumeRun, startRun } from '../../workers/runs.js';
import { runName } from '../start.js';
import { readJson, writeJson, type Workspace } from '../workspace.js';
import type { QuickstartJob } from './quickstart.js';

/** The run that `npm start` works on: written before it is started, so that an interrupted start finds it. */
interface CurrentRun {
  readonly run: string;
  readonly configurationSha256: string;
  readonly hostAddress: string;
}

function file(space: Workspace): string {
  return join(space.directory, 'current-run.json');
}

/**
 * Starts a run, or goes on with the one that was interrupted, if its configuration is the same.
 *
 * @param configuration with the host's present address.
 * @returns its name.
 */
export async function startOrGoOn(
  client: Client,
  store: ObjectStore,
  job: QuickstartJob,
  configuration: RunConfiguration,
  signal: AbortSignal,
): Promise<string> {
  const { space, configurationSha256, fresh } = job;
  const { source } = configuration.dataset;
  const hostAddress = source.kind === 'bundles' ? source.host : '';
  const before = readJson<CurrentRun>(file(space));
  if (before !== null && !fresh && before.configurationSha256 === configurationSha256) {
    writeJson(file(space), { ...before, hostAddress } satisfies CurrentRun);
    await goOn(client, before, configuration, hostAddress);
    return before.run;
  }
  if (fresh) await forgetDataset(store, space, configuration.dataset.name, signal);
  const run = runName(configuration.dataset.name, new Date());
  writeJson(file(space), { run, configurationSha256, hostAddress } satisfies CurrentRun);
  await startRun(client, { run, configuration });
  return run;
}

async function goOn(
  client: Client,
  before: CurrentRun,
  configuration: RunConfiguration,
  hostAddress: string,
): Promise<void> {
  const { run } = before;
  const found = await findRun(client, run).catch((error: unknown) => {
    // Written down, but not started any more; or Temporal's data were removed.
    if (error instanceof Error && 'reason' in error && error.reason === 'not-found') return null;
    throw error;
  });
  if (found === null) {
    await startRun(client, { run, configuration });
    return;
  }
  const { name } = found.description.status;
  if (name === 'COMPLETED') return;
  if (name === 'RUNNING') {
    if (before.hostAddress === hostAddress) return;
    // The host's port is taken by now, and the run's configuration names it.
    await found.handle.terminate('the miniature’s host has another address now');
  }
  await resumeRun(client, run, configuration);
}

/** Lets the next run fetch, extract and pack anew: `--fresh` runs everything. The generated data stay. */
export async function forgetDataset(
  store: ObjectStore,
  space: Workspace,
  name: string,
  signal: AbortSignal,
): Promise<void> {
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
