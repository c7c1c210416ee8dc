import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findBundle, volumePaths, type BundleArchive, type BundleFile } from '../fetch/bundles.js';
import { checkDiskSpace } from '../fetch/diskSpace.js';
import type { TransferProgress } from '../fetch/progress.js';
import { findFetched, readRecord, sizeOf, type FetchedFile } from '../fetch/sidecar.js';
import { inspectArchive, type ArchiveContents } from './archiveContents.js';
import { VolumeMissing } from './errors.js';
import { explainFailure } from './explainFailure.js';
import { placeContent } from './placeContent.js';
import { extractArchive } from './sevenZip.js';

export interface ExtractBundleOptions {
  /** A name of `datasets/fetch/bundles.ts`. */
  readonly bundle: string;
  /** Where `fetchBundle` put the volumes. */
  readonly downloads: string;
  /** Receives the folders of the bundle. */
  readonly extracted: string;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ExtractedBundle {
  readonly files: number;
  readonly bytes: number;
}

/** Beside the data, hidden: what was extracted from which volumes, and what is being extracted. */
const stateFolder = '.extracted';

/**
 * Extracts all archives of a fetched bundle into their folders, checksums verified, and lays its lists where they
 * belong. What an earlier call extracted from the same volumes is left alone; an archive that was interrupted is begun
 * again. A folder appears when it is complete.
 *
 * @throws UnknownBundle, VolumeMissing, ArchiveDamaged, ArchiveUnsafe, DiskFull
 */
export async function extractBundle(options: ExtractBundleOptions): Promise<ExtractedBundle> {
  const { downloads, extracted, onProgress, signal } = options;
  const bundle = findBundle(options.bundle);
  const totalFiles = bundle.archives.length + bundle.files.length;
  const archives: { archive: BundleArchive; volumes: FetchedFile[] }[] = [];
  for (const archive of bundle.archives) archives.push({ archive, volumes: await findVolumes(archive, downloads) });
  let doneFiles = 0;
  let doneBytes = 0;
  let files = 0;
  const report = (current: string, bytes: number, totalBytes: number | null) =>
    onProgress?.({ doneBytes: doneBytes + bytes, totalBytes, doneFiles, totalFiles, current });

  for (const file of bundle.files) {
    doneBytes += await layFile(file, downloads, extracted);
    files++;
    doneFiles++;
  }
  report(bundle.name, 0, null);
  const plans = [];
  for (const { archive, volumes } of archives) {
    plans.push({ archive, volumes, ...(await plan(archive, volumes, downloads, extracted, signal)) });
  }
  const totalBytes = doneBytes + plans.reduce((sum, { contents }) => sum + contents.bytes, 0);
  const needed = plans.reduce((sum, { there, contents }) => sum + (there ? 0 : contents.bytes), 0);
  await checkDiskSpace(extracted, needed, `The extracted files of ${bundle.name}`);
  for (const { archive, volumes, there, contents } of plans) {
    if (!there) {
      const onPercent = (percent: number) => report(archive.path, (contents.bytes * percent) / 100, totalBytes);
      await extractOne(archive, volumes, downloads, extracted, onPercent, signal);
      await writeMarker(archive, volumes, contents, extracted);
    }
    doneFiles++;
    doneBytes += contents.bytes;
    files += contents.files;
    report(archive.path, 0, totalBytes);
  }
  return { files, bytes: doneBytes };
}

/** @throws VolumeMissing naming the volume. */
async function findVolumes(archive: BundleArchive, downloads: string): Promise<FetchedFile[]> {
  const found: FetchedFile[] = [];
  for (const path of volumePaths(archive)) found.push(await findVolume(path, downloads));
  return found;
}

async function findVolume(path: string, downloads: string): Promise<FetchedFile> {
  const file = fileOf(downloads, path);
  const fetched = await findFetched(file);
  if (fetched) return fetched;
  const [record, size] = [await readRecord(file), await sizeOf(file)];
  const found =
    size === null
      ? 'is missing'
      : record?.size == null
        ? 'is not one that was fetched (it has no .json beside it)'
        : `has ${size} bytes; ${record.size} were fetched`;
  throw new VolumeMissing(`${file} ${found}. Fetch the bundle again.`);
}

/** Whether the archive is extracted already, and how much it holds. */
async function plan(
  archive: BundleArchive,
  volumes: readonly FetchedFile[],
  downloads: string,
  extracted: string,
  signal: AbortSignal | undefined,
): Promise<{ there: boolean; contents: ArchiveContents }> {
  const marker = await readMarker(archive, extracted);
  if (marker && marker.volumes.join() === volumes.map(({ sha256 }) => sha256).join()) {
    return { there: true, contents: marker };
  }
  try {
    return { there: false, contents: await inspectArchive(fileOf(downloads, volumes[0]!.path), signal) };
  } catch (error) {
    throw await explainFailure(error, located(volumes, downloads));
  }
}

async function extractOne(
  archive: BundleArchive,
  volumes: readonly FetchedFile[],
  downloads: string,
  extracted: string,
  onPercent: (percent: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const workshop = join(extracted, stateFolder, 'unfinished', markerName(archive));
  await rm(workshop, { recursive: true, force: true });
  await mkdir(workshop, { recursive: true });
  try {
    await extractArchive(fileOf(downloads, volumes[0]!.path), workshop, onPercent, signal);
    await placeContent(workshop, join(extracted, archive.target), archive.content);
  } catch (error) {
    signal?.throwIfAborted();
    throw await explainFailure(error, located(volumes, downloads));
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function layFile({ path, target }: BundleFile, downloads: string, extracted: string): Promise<number> {
  const { size } = await findVolume(path, downloads);
  const file = join(extracted, target);
  await mkdir(dirname(file), { recursive: true });
  await copyFile(fileOf(downloads, path), `${file}.new`);
  await rename(`${file}.new`, file);
  return size;
}

interface Marker extends ArchiveContents {
  /** Hex SHA-256 of each. */
  readonly volumes: readonly string[];
}

/** Archives have a marker for each folder that they are extracted into. */
function markerName({ target, content, path }: BundleArchive): string {
  return [target, content, path].join('/').replaceAll('/', '~');
}

async function readMarker(archive: BundleArchive, extracted: string): Promise<Marker | null> {
  try {
    return JSON.parse(await readFile(join(extracted, stateFolder, `${markerName(archive)}.json`), 'utf8')) as Marker;
  } catch {
    return null;
  }
}

async function writeMarker(
  archive: BundleArchive,
  volumes: readonly FetchedFile[],
  { files, bytes }: ArchiveContents,
  extracted: string,
): Promise<void> {
  const marker: Marker = { volumes: volumes.map(({ sha256 }) => sha256), files, bytes };
  const file = join(extracted, stateFolder, `${markerName(archive)}.json`);
  await writeFile(`${file}.new`, JSON.stringify(marker));
  await rename(`${file}.new`, file);
}

function located(volumes: readonly FetchedFile[], downloads: string): { file: string; size: number }[] {
  return volumes.map(({ path, size }) => ({ file: fileOf(downloads, path), size }));
}

function fileOf(directory: string, path: string): string {
  return join(directory, ...path.split('/'));
}
