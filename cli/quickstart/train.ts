import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import type { FullTrainingResult, StepState } from '../../workflows/types.js';
import { connectClient } from '../../client/connection/client.js';
import { workflowPage } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { followRun } from '../runs/watching/followRun.js';
import { harmless } from '../terminal/harmless.js';
import { LiveDisplay } from '../terminal/liveDisplay.js';
import { syncEvents } from '../tensorboard/syncEvents.js';
import { presetOf } from '../../miniature/settings.js';
import { columns, styled } from '../terminal/terminal.js';
import { writeJson } from '../machine/workspace.js';
import { chooseRun, interruptedData, lastHostPort } from './currentRun.js';
import { provideData, type LocalData } from './host.js';
import { lastRunOf, type LastRun } from './lastRun.js';
import type { QuickstartJob } from './job.js';
import { startServices, startWorkers, type Services } from './session.js';
import { summary } from './summary.js';
import { endOfLog } from './workers.js';
import { print } from '../terminal/print.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';
import { orAborted } from '../../storage/async/orAborted.js';
import { aborted } from '../../storage/async/aborted.js';

const syncEverySeconds = 10;

/** Trains the miniature, or own data, to its end. @returns the exit code. */
export async function trainMiniature(job: QuickstartJob, signal: AbortSignal): Promise<number> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const { services, host, configuration } = await setUp(job, cleanups, signal);
    Object.assign(process.env, services.environment);
    const { address, namespace, uiUrl } = services.temporal;
    const client = await connectClient({ address, namespace });
    cleanups.push(async () => {
      // A question that the SDK is about to ask again would throw from its timer, where nobody can catch it: an interrupted
      // process ends with its connection.
      if (!signal.aborted) await client.connection.close();
    });
    const store = openStore(configuration.storage);
    const { fingerprint } = host;
    const begin = await chooseRun({ client, store, job, configuration, fingerprint, signal });
    const display = new LiveDisplay();
    const workers = await startWorkers(job.space, { ...services.environment, ...host.environment }, (message) => {
      display.print(`${styled('yellow', '!')} ${message}`);
    });
    cleanups.push(() => workers.stop());
    print(`  workers    data and GPU, logs in ${job.space.logs}`);
    const lost = Promise.race([services.lost, workers.lost]);
    const run = await Promise.race([begin(), lost.then(rethrow)]);
    // An address of its own line can be clicked where a terminal is narrow.
    print(`\n${styled('bold', run)}  (on its page: User Metadata)\n${workflowPage(uiUrl, namespace, run)}`);
    const last = await follow({ client, store, services: { ...services, lost }, job, run, display, signal });
    print(`\n${summary(last, job.keep)}`);
    if (job.keep) await Promise.race([aborted(signal), services.lost.then(rethrow)]);
    return exitCodes.ok;
  } finally {
    for (const cleanup of cleanups.reverse())
      await cleanup().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
}

/** The services alone, to look at. */
export async function serveUntilStopped(job: QuickstartJob, signal: AbortSignal): Promise<void> {
  const services = await startServices(job.space, job.bucket, signal);
  await withCleanUp(
    async () => {
      print(`Temporal UI ${services.temporal.uiUrl}, S3 ${services.objectStore.endpoint}`);
      await Promise.race([aborted(signal), services.lost.then(rethrow)]);
    },
    () => services.stop(),
  );
}

/** Services and host, with lines on how they come along. What is to be ended is added to `cleanups`. */
async function setUp(
  job: QuickstartJob,
  cleanups: (() => Promise<void>)[],
  signal: AbortSignal,
): Promise<{ services: Services; host: LocalData; configuration: RunConfiguration }> {
  const { space, bucket, configuration, miniature } = job;
  const display = new LiveDisplay();
  const { dataset } = configuration;
  const own = dataset.source.kind === 'directory';
  const lines = { temporal: '…', s3: '…', data: '…' };
  const show = harmless((): void => {
    const rows = columns([
      ['  Temporal', lines.temporal],
      ['  S3', lines.s3],
      [own ? '  data' : '  miniature', lines.data],
    ]).split('\n');
    // Where lines cannot be rewritten, those that say nothing yet are left out.
    const told = process.stdout.isTTY ? rows : rows.filter((row) => !row.endsWith('…'));
    display.show(told, (line) => line.replace(/\d+ of.*/, ''));
  });
  print(
    `${styled('bold', `tempeh-flow: the whole system on ${own ? 'this machine' : 'a miniature'}`)}\n(Ctrl-C stops; the next npm start goes on)`,
  );
  show();
  const starting = startServices(space, bucket, signal).then((services) => {
    cleanups.push(() => services.stop());
    lines.temporal = services.temporal.uiUrl;
    lines.s3 = `${services.objectStore.endpoint}  bucket ${bucket}`;
    show();
    return services;
  });
  const serving = provideData(
    dataset.source,
    {
      folder: space.host,
      preset: presetOf(configuration.dataset.name),
      changes: miniature,
      interrupted: interruptedData(job),
      lastPort: lastHostPort(space),
    },
    (text) => {
      lines.data = text;
      show();
    },
    signal,
  ).then((host) => {
    cleanups.push(() => host.close());
    return host;
  });
  // Both are waited for, so that what one of them started is known before we clean up for the other's failure.
  const [started, served] = await Promise.allSettled([starting, serving]);
  if (started.status === 'rejected') throw started.reason;
  if (served.status === 'rejected') throw served.reason;
  signal.throwIfAborted();
  display.finish();
  const host = served.value;
  return {
    services: started.value,
    host,
    configuration: { ...configuration, dataset: { ...dataset, source: host.source } },
  };
}

interface FollowToEnd {
  readonly client: Client;
  readonly store: ObjectStore;
  readonly services: Services;
  readonly job: QuickstartJob;
  readonly run: string;
  readonly display: LiveDisplay;
  readonly signal: AbortSignal;
}

/** Watches the run to its end, then writes down what it came to. */
async function follow({ client, store, services, job, run, display, signal }: FollowToEnd): Promise<LastRun> {
  const { space } = job;
  const events = `${space.events}/${run}`;
  const watching = new AbortController();
  const both = AbortSignal.any([signal, watching.signal]);
  const syncing = keepSyncing(store, run, events, both);
  let steps: readonly StepState[] = [];
  const following = followRun({
    ask: (question, stopped) => orAborted(question(client), stopped),
    run,
    signal: both,
    display,
    onDescription: ({ progress }) => {
      if (progress !== null) steps = progress.steps;
    },
  });
  try {
    const description = await Promise.race([following, services.lost.then(rethrow)]);
    signal.throwIfAborted();
    if (description?.status !== 'COMPLETED') {
      const why = description?.failure ?? `it was ${description?.status.toLowerCase() ?? 'not seen'}`;
      // Of one that was cancelled there is nothing to explain.
      const logs = description?.status === 'FAILED' ? `${endOfLog(`${space.logs}/gpu-worker.log`, 5)}\n` : '';
      throw new CommandError(`${run} did not complete: ${why}\n${logs}npm start goes on with it.`);
    }
    const { startedAt, closedAt } = description;
    const result = (await client.workflow.getHandle(run).result()) as FullTrainingResult;
    watching.abort();
    await syncing;
    await syncEvents(store, run, events);
    const evaluated = result.evaluation !== null;
    if (evaluated) await store.download(keys.report(run), space.report);
    const { temporal, objectStore } = services;
    const last = lastRunOf(result, steps, {
      run,
      configurationSha256: job.configurationSha256,
      startedAt: startedAt.toISOString(),
      finishedAt: (closedAt ?? new Date()).toISOString(),
      temporal: {
        address: temporal.address,
        namespace: temporal.namespace,
        uiUrl: temporal.uiUrl,
        workflowUrl: workflowPage(temporal.uiUrl, temporal.namespace, run),
      },
      objectStore: {
        endpoint: objectStore.endpoint,
        region: objectStore.region,
        bucket: objectStore.bucket,
        credentialsFile: objectStore.credentialsFile,
      },
      events,
      report: evaluated ? space.report : null,
    });
    writeJson(space.lastRun, last);
    return last;
  } finally {
    watching.abort();
    // Calls that are under way end before their connection is closed.
    await Promise.allSettled([syncing, following]);
  }
}

/** Event files appear on the local disk while the run goes on; a failed attempt is made again with the next. */
async function keepSyncing(store: ObjectStore, run: string, directory: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(syncEverySeconds * 1000, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await syncEvents(store, run, directory, signal).catch(() => undefined);
  }
}

function rethrow(error: CommandError): never {
  throw error;
}
