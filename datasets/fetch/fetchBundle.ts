import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultBackOff, type BackOff } from './retrying/backOff.js';
import { bundlePaths, findBundle } from './bundles.js';
import { checkDiskSpace, freeSpace, whileRoom, type FreeSpace, type SpaceNeed } from './disk/diskSpace.js';
import { downloadFile, type Download } from './download.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { FileHashes } from './disk/fileHashes.js';
import type { HostCredentials } from './host/hostRequest.js';
import { measureFiles } from './measureFiles.js';
import type { TransferProgress } from './progress.js';
import { Reserve } from './disk/reserve.js';
import { recordPath, type FetchedFile } from './disk/sidecar.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface FetchBundleOptions {
  /** `https://…/download.php` */
  readonly host: string;
  /** A name of `bundles.ts`. */
  readonly bundle: string;
  /** The downloads' folder: files lie in it at their PATHs, each with a record `FILE.json`. */
  readonly directory: string;
  readonly credentials: HostCredentials;
  /** Connections at a time. */
  readonly atOnce: number;
  /** Files of the bundle, by PATH; all if absent. */
  readonly paths?: readonly string[];
  /** Hex SHA-256 of files, by PATH, where they are known. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** What else will be written, besides these files: the disk must have room for all of it before anything is fetched. */
  readonly alsoNeeded?: readonly SpaceNeed[];
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly backOff?: BackOff;
  readonly free?: FreeSpace;
}

export interface FetchedBundle {
  readonly files: readonly FetchedFile[];
  readonly bytes: number;
  /** Bytes that came over the network this time. */
  readonly fetchedBytes: number;
}

/**
 * Fetches all files of a bundle that are not there yet. Safe to interrupt and call again, in a new process too: nothing
 * is fetched twice. First every missing file is asked for its size, so that wrong credentials, a missing file or too
 * small a disk show before the first gigabyte.
 *
 * @throws UnknownBundle, HostCredentialsRefused, FileMissingOnHost, UnexpectedAnswer, HostUnavailable, HostUntrusted,
 *   ChecksumDiffers, DiskFull
 */
export async function fetchBundle(options: FetchBundleOptions): Promise<FetchedBundle> {
  const { directory, signal, free = freeSpace } = options;
  const work = async (signal: AbortSignal): Promise<FetchedBundle> => {
    const hashes = new FileHashes(signal);
    return withCleanUp(
      async () => {
        return await fetchWhileRoom({ ...options, signal, free, hashes });
      },
      () => hashes.close(),
    );
  };
  return whileRoom(directory, signal, work, free);
}

interface FetchWhileRoom extends FetchBundleOptions {
  readonly signal: AbortSignal;
  readonly free: FreeSpace;
  readonly hashes: FileHashes;
}

async function fetchWhileRoom(options: FetchWhileRoom): Promise<FetchedBundle> {
  const { host, directory, credentials, atOnce, hashes, onProgress } = options;
  const backOff = options.backOff ?? defaultBackOff;
  const bundle = findBundle(options.bundle);
  const paths = options.paths ?? bundlePaths(bundle);
  const fileOf = (path: string) => join(directory, ...path.split('/'));

  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  let current = 'asking for sizes';
  const bytes = new Map<string, number>();
  const sizes = new Map<string, number | null>();
  const done = new Set<string>();
  let reported = -Infinity;
  const report = () => {
    reported = performance.now();
    const known = paths.map((path) => sizes.get(path) ?? null);
    onProgress?.({
      doneBytes: sum(bytes.values()),
      totalBytes: known.every((size) => size !== null) ? sum(known) : null,
      doneFiles: done.size,
      totalFiles: paths.length,
      current,
    });
  };
  const common = { host, credentials, backOff, signal };
  const onWait = (path: string) => (reason: string) => {
    current = `${path} (waiting: ${reason})`;
    report();
  };

  report();
  const measured = await measureFiles(paths, { ...common, fileOf, atOnce, onWait });
  for (const [path, { size, there }] of measured) {
    sizes.set(path, size);
    bytes.set(path, there);
  }
  const needed = sum([...measured.values()].map(({ size, there }) => Math.max(0, (size ?? 0) - there)));
  const room = { directory, bytes: needed, purpose: `the volumes of ${bundle.name}` };
  await checkDiskSpace([room, ...(options.alsoNeeded ?? [])], options.free);
  const reserve = new Reserve(directory, options.free);
  const files = await mapLimited(paths, atOnce, async (path): Promise<Download> => {
    const download = downloadOnce({
      ...common,
      hashes,
      reserve,
      path,
      file: fileOf(path),
      sha256: options.sha256?.[path] ?? null,
      onWait: onWait(path),
      onBytes: (there, size) => {
        bytes.set(path, there);
        if (size !== null) sizes.set(path, size);
        current = path;
        if (performance.now() - reported > reportEvery) report();
      },
    });
    // If one cannot be had, the others stop too; what they have is kept.
    download.catch((error: unknown) => ended.abort(error));
    const file = await download;
    done.add(path);
    report();
    return file;
  });
  return {
    files: files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
    bytes: sum(files.map(({ size }) => size)),
    fetchedBytes: sum(files.map((file) => file.fetchedBytes)),
  };
}

/** Pause between reports of a stream's many pieces, ms. */
const reportEvery = 100;

/** Frees the disk of a bundle's volumes, once what they hold is packed. */
export async function deleteDownloads(bundleName: string, directory: string): Promise<void> {
  for (const path of bundlePaths(findBundle(bundleName))) {
    const file = join(directory, ...path.split('/'));
    await rm(file, { force: true });
    await rm(recordPath(file), { force: true });
  }
}

const running = new Map<string, Promise<unknown>>();

/** Two steps of one worker never write the same file: the later waits, and finds it (bundles share archives). */
async function downloadOnce(options: Parameters<typeof downloadFile>[0]): Promise<Download> {
  while (running.has(options.file)) await running.get(options.file)?.catch(() => undefined);
  const download = downloadFile(options);
  running.set(options.file, download);
  try {
    return await download;
  } finally {
    running.delete(options.file);
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
