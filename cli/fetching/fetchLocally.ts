import { setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DataConfiguration, TransferProgress } from '../../activities/types.js';
import { withLock } from '../../infra/setup/lock.mjs';
import { deleteVolumes, type DataPath } from '../../datasets/dataPath.js';
import { obtainBundles, type ObtainPhase } from '../../datasets/obtain.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { packFiles } from '../../datasets/pack/packFiles.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { findCredentials } from './askCredentials.js';
import { useLocalObjectStore } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { LiveDisplay } from '../terminal/liveDisplay.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { transferNote } from '../runs/progressLines.js';
import { bytes, duration, styled } from '../terminal/terminal.js';
import { TransferRate } from './transferRates.js';

const activityOf = { fetch: 'fetchBundle', extract: 'extractBundle', pack: 'packDataset' } as const;
const doneWords = { fetch: 'fetched', extract: 'extracted', pack: 'packed' } as const;

/** Fetches in this process, without Temporal; interrupted, the next call goes on. @returns the exit code. */
export async function fetchLocally(configuration: DataConfiguration): Promise<ExitCode> {
  const { dataset, storage } = configuration;
  const { source } = dataset;
  if (source.kind !== 'bundles') throw new Error('A folder needs no fetching.');
  const credentials = { ...(await findCredentials(source.host)), inClear: source.passwordInClear ?? false };
  const display = new Display();
  const path: DataPath = {
    host: source.host,
    bundles: source.bundles,
    downloads: resolve(dataset.downloads),
    extracted: resolve(dataset.extracted),
    downloadsAtOnce: dataset.downloadsAtOnce,
    sha256: source.sha256,
    deleteExtracted: dataset.deleteDownloads && storage === null,
    credentials: async () => credentials,
    onMended: (message) => display.print(`  ${styled('yellow', '!')} ${message}`),
  };
  const busy = (): never => {
    throw new CommandError(`Another tempeh-flow fetch works on ${path.downloads}: wait for its end.`);
  };
  const onStop = (): void => display.print('Stopping: what is there is kept. (Ctrl-C once more ends at once.)');
  const work = (signal: AbortSignal): Promise<void> => {
    // Of dozens of requests at a time each listens to it; Node would take them for a leak.
    setMaxListeners(0, signal);
    mkdirSync(path.downloads, { recursive: true });
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
  display: Display,
  signal: AbortSignal,
): Promise<void> {
  await obtainBundles({
    path,
    onProgress: (phase, bundle, progress) => display.show(phase, bundle, progress),
    onDone: (phase, bundle, count) => display.done(phase, bundle, count),
    signal,
  });
  const { storage } = configuration;
  if (storage === null) {
    process.stdout.write(`  below ${path.extracted}\n`);
    return;
  }
  useLocalObjectStore();
  await store(
    configuration,
    path,
    openStore(storage, { warn: (message) => display.print(`  ${styled('yellow', '!')} ${message}`), signal }),
    display,
    signal,
  );
  if (configuration.dataset.deleteDownloads) await deleteVolumes(path);
}

async function store(
  { dataset }: DataConfiguration,
  { bundles, extracted }: DataPath,
  objects: ObjectStore,
  display: Display,
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
    const left = index.unusable.length === 0 ? '' : `, ${index.unusable.length} unusable ones left out`;
    const frames = Object.values(index.splits).reduce((sum, split) => sum + split.length, 0);
    process.stdout.write(`  data set ${name} in ${objects.description}: ${frames} frames${left}\n`);
    return;
  }
  for (const bundle of bundles) {
    const onProgress = (progress: TransferProgress) => display.show('pack', bundle, progress);
    const stored = await packFiles({ store: objects, bundle, extracted, onProgress, signal });
    display.done('pack', bundle, stored.bytes);
    process.stdout.write(`  ${stored.files} files below ${stored.prefix} in ${objects.description}\n`);
  }
}

type Phase = ObtainPhase | 'pack';

/** A line for each part that is under way, and one that stays for each that is done. */
class Display {
  private readonly live = new LiveDisplay();
  private readonly going = new Map<string, { line: string; rate: TransferRate; since: number }>();

  show(phase: Phase, bundle: string, progress: TransferProgress): void {
    const key = `${phase} ${bundle}`;
    const { rate, since } = this.going.get(key) ?? { rate: new TransferRate(), since: Date.now() };
    const note = [transferNote(activityOf[phase], progress), rate.note(progress)].filter((part) => part !== '');
    this.going.set(key, { line: `  ${styled('cyan', '▸')} ${bundle}  ${note.join('  ')}`, rate, since });
    this.live.show(
      [...this.going.values()].map(({ line }) => line),
      (line) => line.split('  ').slice(1, 2).join() + (/waiting|fetching|extracting|packing/.exec(line)?.[0] ?? ''),
    );
  }

  done(phase: Phase, bundle: string, count: number): void {
    const key = `${phase} ${bundle}`;
    const seconds = (Date.now() - (this.going.get(key)?.since ?? Date.now())) / 1000;
    this.going.delete(key);
    const what =
      count > 0 ? `${bytes(count)} ${doneWords[phase]} in ${duration(seconds)}` : `${doneWords[phase]} before`;
    this.print(`  ${styled('green', '✔')} ${bundle}: ${what}`);
  }

  print(text: string): void {
    this.live.print(text);
  }

  finish(): void {
    this.live.finish();
  }
}
