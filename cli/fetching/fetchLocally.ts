import { setMaxListeners } from 'node:events';
import { join, resolve } from 'node:path';
import { makeFolderSync } from '../../disk/makeFolder.js';
import type { DataConfiguration } from '../../activities/types.js';
import type { TransferProgress } from '../../datasets/fetch/progress.js';
import { withLock } from '../../infra/setup/lock.mjs';
import { deleteVolumes, type DataPath } from '../../datasets/dataPath.js';
import { obtainBundles } from '../../datasets/obtain.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { packFiles } from '../../datasets/pack/packFiles.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { findCredentials } from './askCredentials.js';
import { useLocalObjectStore } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { FetchDisplay } from './fetchDisplay.js';
import { print } from '../terminal/print.js';

/** Fetches in this process, without Temporal; interrupted, the next call goes on. @returns the exit code. */
export async function fetchLocally(configuration: DataConfiguration): Promise<ExitCode> {
  const { dataset, storage } = configuration;
  const { source } = dataset;
  if (source.kind !== 'bundles') throw new Error('A folder needs no fetching.');
  const credentials = { ...(await findCredentials(source.host)), inClear: source.passwordInClear ?? false };
  const display = new FetchDisplay();
  const path: DataPath = {
    host: source.host,
    bundles: source.bundles,
    downloads: resolve(dataset.downloads),
    extracted: resolve(dataset.extracted),
    downloadsAtOnce: dataset.downloadsAtOnce,
    sha256: source.sha256,
    deleteExtracted: dataset.deleteDownloads && storage === null,
    credentials: async () => credentials,
    onRepaired: display.warn,
    onMissing: display.warn,
  };
  const busy = (): never => {
    throw new CommandError(`Another tempeh-flow fetch works on ${path.downloads}: wait for its end.`);
  };
  const onStop = (): void => display.print('Stopping: what is there is kept. (Ctrl-C once more ends at once.)');
  const work = (signal: AbortSignal): Promise<void> => {
    // Of dozens of requests at a time each listens to it; Node would take them for a leak.
    setMaxListeners(0, signal);
    makeFolderSync(path.downloads);
    return withLock(join(path.downloads, 'fetch'), busy, () => obtainAndStore(configuration, path, display, signal));
  };
  try {
    await untilStopped(work, 'Stopped. The same command goes on from here.', { onStop });
    return exitCodes.ok;
  } finally {
    display.finish();
  }
}

async function obtainAndStore(
  configuration: DataConfiguration,
  path: DataPath,
  display: FetchDisplay,
  signal: AbortSignal,
): Promise<void> {
  await obtainBundles({
    path,
    onProgress: display.show,
    onDone: display.done,
    signal,
  });
  const { storage } = configuration;
  if (storage === null) {
    print(`  below ${path.extracted}`);
    return;
  }
  useLocalObjectStore();
  await store(configuration, path, openStore(storage, { warn: display.warn, signal }), display, signal);
  if (configuration.dataset.deleteDownloads) await deleteVolumes(path);
}

async function store(
  { dataset }: DataConfiguration,
  { bundles, extracted }: DataPath,
  objects: ObjectStore,
  display: FetchDisplay,
  signal: AbortSignal,
): Promise<void> {
  const { layout, name } = dataset;
  if (layout.train !== null || layout.validation !== null || layout.test !== null) {
    let packed = 0;
    const onProgress = (progress: TransferProgress) => {
      packed = progress.doneBytes;
      display.show('pack', name, progress);
    };
    const index = await packDataset({
      store: objects,
      configuration: dataset,
      directory: extracted,
      onProgress,
      signal,
    });
    display.done('pack', name, packed);
    const left = index.unusable === 0 ? '' : `, ${index.unusable} unusable ones left out`;
    const frames = Object.values(index.counts).reduce((sum, count) => sum + count, 0);
    print(`  data set ${name} in ${objects.description}: ${frames} frames${left}`);
    return;
  }
  for (const bundle of bundles) {
    const onProgress = (progress: TransferProgress) => display.show('pack', bundle, progress);
    const stored = await packFiles({ store: objects, bundle, extracted, onProgress, signal });
    display.done('pack', bundle, stored.bytes);
    print(`  ${stored.files} files below ${stored.prefix} in ${objects.description}`);
  }
}
