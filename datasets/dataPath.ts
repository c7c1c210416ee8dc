import { join } from 'node:path';
import { compareWithLists } from './extract/compareWithLists.js';
import { extractBundle, type ExtractedBundle } from './extract/extractBundle.js';
import { unextractedPaths } from './extract/markers.js';
import { bundlePaths, findBundle } from './fetch/bundles.js';
import type { SpaceNeed } from './fetch/disk/diskSpace.js';
import { deleteDownloads, fetchBundle, type FetchedBundle } from './fetch/fetchBundle.js';
import type { HostCredentials } from './fetch/host/hostRequest.js';
import { measureFiles } from './fetch/measureFiles.js';
import { defaultBackOff } from './fetch/retrying/backOff.js';
import type { TransferProgress } from './fetch/progress.js';

/** From the host to extracted folders, on one disk. */
export interface DataPath {
  /** `https://…/download.php` */
  readonly host: string;
  /** All that will be fetched: the disk must have room for all of them. */
  readonly bundles: readonly string[];
  readonly downloads: string;
  readonly extracted: string;
  readonly downloadsAtOnce: number;
  /** Hex SHA-256 of files, by PATH, where they are known. */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  /** Volumes go as soon as they are extracted: what was extracted is all that is wanted. */
  readonly deleteExtracted: boolean;
  readonly credentials: () => Promise<HostCredentials>;
  readonly onRepaired?: (message: string) => void;
  /** Called with what lists name and archives did not bring, a sentence each. */
  readonly onMissing?: (message: string) => void;
}

/** What one part of the data path works on. */
export interface DataStep {
  readonly bundle: string;
  readonly onProgress: (progress: TransferProgress) => void;
  readonly signal: AbortSignal;
}

/** Fetches what extraction of a bundle still needs. @throws as `fetchBundle` */
export async function fetchForExtraction(
  path: DataPath,
  { bundle, onProgress, signal }: DataStep,
): Promise<FetchedBundle> {
  const { host, downloads, extracted, downloadsAtOnce, sha256 } = path;
  const paths = await unextractedPaths(findBundle(bundle), extracted);
  if (paths.length === 0) return { files: [], bytes: 0, fetchedBytes: 0 };
  const credentials = await path.credentials();
  return fetchBundle({
    host,
    bundle,
    paths,
    directory: downloads,
    credentials,
    atOnce: downloadsAtOnce,
    ...(sha256 ? { sha256 } : {}),
    alsoNeeded: await laterNeeds(path, bundle, credentials, { bundle, onProgress, signal }),
    onProgress,
    signal,
  });
}

/** Frees the disk of all volumes, once what they hold is in the object store. */
export async function deleteVolumes({ bundles, downloads }: Pick<DataPath, 'bundles' | 'downloads'>): Promise<void> {
  for (const bundle of bundles) await deleteDownloads(bundle, downloads);
}

/**
 * Extracts a fetched bundle, damage repaired from the host, and compares its lists with what came.
 *
 * @throws as `extractBundle`
 */
export async function extractFetched(
  path: DataPath,
  { bundle, onProgress, signal }: DataStep,
): Promise<ExtractedBundle> {
  const { host, downloads, extracted, credentials, onRepaired } = path;
  const repairFrom = { host, credentials, ...(onRepaired ? { onRepaired } : {}) };
  const done = await extractBundle({ bundle, downloads, extracted, repairFrom, onProgress, signal });
  for (const message of await compareWithLists(findBundle(bundle), extracted)) path.onMissing?.(message);
  if (path.deleteExtracted) await deleteDownloads(bundle, downloads);
  return done;
}

/**
 * What is still written besides the volumes of one bundle: those of the bundles that come after it, and all that is
 * extracted, which is as large as its volumes at least.
 */
async function laterNeeds(
  { host, bundles, downloads, extracted, downloadsAtOnce: atOnce }: DataPath,
  bundle: string,
  credentials: HostCredentials,
  { onProgress, signal }: DataStep,
): Promise<SpaceNeed[]> {
  const names = bundles.slice(Math.max(0, bundles.indexOf(bundle)));
  const paths = new Set<string>();
  for (const name of names) for (const path of await unextractedPaths(findBundle(name), extracted)) paths.add(path);
  const fileOf = (path: string) => join(downloads, ...path.split('/'));
  const report = (current: string) =>
    onProgress({ doneBytes: 0, totalBytes: null, doneFiles: 0, totalFiles: null, current });
  const onWait = (path: string) => (reason: string) => report(`${path} (waiting: ${reason})`);
  report('asking for sizes');
  const measured = await measureFiles([...paths], {
    host,
    credentials,
    backOff: defaultBackOff,
    atOnce,
    fileOf,
    onWait,
    signal,
  });
  const own = new Set(bundlePaths(findBundle(bundle)));
  let later = 0;
  let unpacked = 0;
  for (const [path, { size, there }] of measured) {
    unpacked += size ?? 0;
    if (!own.has(path)) later += Math.max(0, (size ?? 0) - there);
  }
  const others = names.filter((name) => name !== bundle).join(', ');
  return [
    { directory: downloads, bytes: later, purpose: `the volumes of ${others}` },
    { directory: extracted, bytes: unpacked, purpose: 'what is extracted from them (at least)' },
  ];
}
