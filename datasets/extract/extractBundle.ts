import { randomUUID } from 'node:crypto';
import { copyFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { findBundle, volumePaths, type BundleArchive, type BundleFile } from '../fetch/bundles.js';
import { checkDiskSpace, freeSpace, whileRoom, type FreeSpace } from '../fetch/disk/diskSpace.js';
import type { TransferProgress } from '../fetch/progress.js';
import { explainWriteError } from '../fetch/disk/writeErrors.js';
import { findFetched, readRecord, sizeOf, type FetchedFile } from '../fetch/disk/sidecar.js';
import { inspectArchive, type ArchiveContents } from './archiveContents.js';
import { ArchiveDamaged, ArchiveUnsafe, VolumeMissing } from './errors.js';
import { archiveDamaged, explainFailure } from './explainFailure.js';
import type { Volume } from './joinedVolumes.js';
import { markerName, readMarker, stateFolder, writeMarker } from './markers.js';
import { repairArchive, volumesAt, type RepairSource } from './repairArchive.js';
import { placeContent } from './placeContent.js';
import { extractArchive } from './sevenZip.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface ExtractBundleOptions {
  /** A name of `datasets/fetch/bundles.ts`. */
  readonly bundle: string;
  /** Where `fetchBundle` put the volumes. */
  readonly downloads: string;
  /** Receives the folders of the bundle. */
  readonly extracted: string;
  /** Where damage is repaired from; without it, damage is an error at once. */
  readonly repairFrom?: Omit<RepairSource, 'onProgress' | 'signal'>;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly free?: FreeSpace;
}

export interface ExtractedBundle {
  readonly files: number;
  readonly bytes: number;
  /** Bytes of them that this call extracted. */
  readonly extractedBytes: number;
}

/** Of one archive: each round repairs all the damage that the one before has shown. */
const mostRepairs = 4;

/**
 * Extracts all archives of a fetched bundle into their folders, checksums verified, and lays its lists where they
 * belong. What an earlier call extracted from the same volumes is left alone, also if the volumes were deleted since; an
 * archive that was interrupted is begun again. A folder appears when it is complete. Damage is repaired from the host.
 *
 * @throws UnknownBundle, VolumeMissing, ArchiveDamaged, ArchiveUnsafe, DiskFull
 */
export async function extractBundle(options: ExtractBundleOptions): Promise<ExtractedBundle> {
  const { downloads, extracted, onProgress, signal } = options;
  const bundle = findBundle(options.bundle);
  const totalFiles = bundle.archives.length + bundle.files.length;
  const archives: { archive: BundleArchive; volumes: FetchedFile[] | null }[] = [];
  for (const archive of bundle.archives) {
    archives.push({ archive, volumes: await findVolumes(archive, downloads, extracted) });
  }
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
  const repairing = { onProgress, signal, repairFrom: options.repairFrom };
  for (const { archive, volumes } of archives) {
    plans.push({ archive, ...(await plan(archive, volumes, downloads, extracted, repairing)) });
  }
  const totalBytes = doneBytes + plans.reduce((sum, { contents }) => sum + contents.bytes, 0);
  const needed = plans.reduce((sum, { volumes, contents }) => sum + (volumes ? contents.bytes : 0), 0);
  const free = options.free ?? freeSpace;
  await checkDiskSpace([{ directory: extracted, bytes: needed, purpose: `the files of ${bundle.name}` }], free);
  for (const { archive, volumes, contents } of plans) {
    if (volumes !== null) {
      const onPercent = (percent: number) => report(archive.path, (contents.bytes * percent) / 100, totalBytes);
      await whileRoom(
        extracted,
        signal,
        (signal) => extractOne(archive, volumes, extracted, onPercent, { ...repairing, signal }),
        free,
      );
      // Repaired volumes have another checksum now.
      const now = await findVolumes(archive, downloads, extracted);
      await writeMarker(archive, { ...contents, volumes: (now ?? []).map(({ sha256 }) => sha256) }, extracted);
    }
    doneFiles++;
    doneBytes += contents.bytes;
    files += contents.files;
    report(archive.path, 0, totalBytes);
  }
  return { files, bytes: doneBytes, extractedBytes: needed };
}

/** null where they are not needed any more. @throws VolumeMissing naming the volume. */
async function findVolumes(
  archive: BundleArchive,
  downloads: string,
  extracted: string,
): Promise<FetchedFile[] | null> {
  const found: FetchedFile[] = [];
  try {
    for (const path of volumePaths(archive)) found.push(await findVolume(path, downloads));
  } catch (error) {
    if (error instanceof VolumeMissing && (await readMarker(archive, extracted)) !== null) return null;
    throw error;
  }
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

interface Repairing {
  readonly repairFrom: ExtractBundleOptions['repairFrom'];
  readonly onProgress: ExtractBundleOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

/** The volumes to extract (null: it is extracted already), and how much they hold. */
async function plan(
  archive: BundleArchive,
  fetched: readonly FetchedFile[] | null,
  downloads: string,
  extracted: string,
  repairing: Repairing,
): Promise<{ volumes: Volume[] | null; contents: ArchiveContents }> {
  const marker = await readMarker(archive, extracted);
  const isOf = (volumes: readonly FetchedFile[]) =>
    marker?.volumes.join() === volumes.map(({ sha256 }) => sha256).join();
  if (marker !== null && (fetched === null || isOf(fetched))) return { volumes: null, contents: marker };
  const volumes = volumesAt(downloads, fetched ?? []);
  const contents = await withRepair(volumes, repairing, () =>
    inspectArchive(volumes, (note) => repairing.repairFrom?.onRepaired?.(note), repairing.signal),
  );
  return { volumes, contents };
}

/**
 * Does something with an archive; where it turns out damaged, repairs it and tries again.
 *
 * @param work is given the members that could not be read the time before; null for all.
 */
async function withRepair<T>(
  volumes: readonly Volume[],
  { repairFrom, onProgress, signal }: Repairing,
  work: (members: readonly string[] | null) => Promise<T>,
): Promise<T> {
  let members: readonly string[] | null = null;
  for (let round = 0; ; round++) {
    try {
      return await work(members);
    } catch (error) {
      signal?.throwIfAborted();
      const explained = await explainFailure(error, volumes);
      // A damaged directory may say anything.
      const unsafe = explained instanceof ArchiveUnsafe;
      const damaged = unsafe
        ? await archiveDamaged({ members: [], headersOnly: true, said: explained.message }, volumes)
        : explained;
      if (!(damaged instanceof ArchiveDamaged) || !repairFrom || round === mostRepairs) throw explained;
      const reporting = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
      await repairArchive(damaged, volumes, { ...repairFrom, ...reporting }).catch((failure: unknown) => {
        throw unsafe && failure instanceof ArchiveDamaged ? explained : failure;
      });
      // What was read is there: 7-Zip goes on after what it cannot read.
      members = damaged.damage.members.length > 0 ? damaged.damage.members : null;
    }
  }
}

async function extractOne(
  archive: BundleArchive,
  volumes: readonly Volume[],
  extracted: string,
  onPercent: (percent: number) => void,
  repairing: Repairing,
): Promise<void> {
  // One of its own: a killed process's 7-Zip may live on for a moment in the one before.
  const workshops = join(extracted, stateFolder, 'unfinished', markerName(archive));
  await rm(workshops, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  const workshop = join(workshops, randomUUID());
  const work = async (): Promise<void> => {
    await writing(workshop, () => makeFolder(workshop));
    const { signal } = repairing;
    await withRepair(volumes, repairing, (members) =>
      extractArchive(volumes[0]!.file, workshop, onPercent, { signal, members }),
    );
    const target = join(extracted, archive.target);
    await writing(target, () => placeContent(workshop, target, archive.content));
  };
  await withCleanUp(work, () => rm(workshops, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
}

async function layFile({ path, target }: BundleFile, downloads: string, extracted: string): Promise<number> {
  const file = join(extracted, target);
  const there = await writing(file, () => sizeOf(file));
  if (there !== null && (await sizeOf(fileOf(downloads, path))) === null) return there;
  const { size } = await findVolume(path, downloads);
  await writing(file, async () => {
    await makeFolder(dirname(file));
    await copyFile(fileOf(downloads, path), `${file}.new`);
    await rename(`${file}.new`, file);
  });
  return size;
}

/** Does something that writes; the system's error is reported as what it means. */
async function writing<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainWriteError(error, file);
  }
}

function fileOf(directory: string, path: string): string {
  return join(directory, ...path.split('/'));
}
