import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultBackOff, type BackOff } from '../fetch/retrying/backOff.js';
import { compareWithHost } from '../fetch/compareWithHost.js';
import { RangesUnsupported, VolumeChanged } from '../fetch/errors.js';
import type { HostCredentials } from '../fetch/host/hostRequest.js';
import type { TransferProgress } from '../fetch/progress.js';
import { FileHashes } from '../fetch/disk/fileHashes.js';
import { readRecord, recordPath, writeRecord } from '../fetch/disk/sidecar.js';
import { ArchiveDamaged, VolumeMissing } from './errors.js';
import { partsOf, type Volume, type VolumePart } from './joinedVolumes.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface RepairSource {
  readonly host: string;
  readonly credentials: () => Promise<HostCredentials>;
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Called with what was found and repaired. */
  readonly onRepaired?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly backOff?: BackOff;
}

/**
 * Repairs a damaged archive from the host: asks again for the bytes where the damage may be, the fewest first, until some
 * differ from those on the disk, which are put right.
 *
 * @throws VolumeMissing if a volume must be fetched anew, for the host has another version now: it has been deleted.
 * @throws ArchiveDamaged if the host sends the very bytes that are there: it is the published archive that is damaged.
 */
export async function repairArchive(
  damaged: ArchiveDamaged,
  volumes: readonly Volume[],
  repairFrom: RepairSource,
): Promise<void> {
  for (const spans of damaged.damage.suspects) {
    const parts = partsOf(spans, volumes);
    const repaired = new Map<Volume, number>();
    for (const part of parts) {
      const wrong = await comparePart(part, volumes, repairFrom);
      if (wrong > 0) repaired.set(part.volume, (repaired.get(part.volume) ?? 0) + wrong);
    }
    for (const [volume, wrong] of repaired) await noteRepaired(volume, wrong, repairFrom);
    if (repaired.size > 0) return;
  }
  throw new ArchiveDamaged(
    `${damaged.message} The host sends the same bytes again: the archive is damaged there. Ask those who publish it.`,
    damaged.damage,
    { cause: damaged },
  );
}

async function comparePart(part: VolumePart, volumes: readonly Volume[], repairFrom: RepairSource): Promise<number> {
  const { volume } = part;
  try {
    return await askAgain(part, repairFrom);
  } catch (error) {
    if (!(error instanceof VolumeChanged || error instanceof RangesUnsupported)) throw error;
    // It cannot be repaired by pieces. Where one was replaced, others may have been.
    const others = error instanceof VolumeChanged ? volumes.filter((other) => other !== volume) : [];
    for (const other of [volume, ...(await changedOf(others, repairFrom))]) {
      await rm(other.file, { force: true });
      await rm(recordPath(other.file), { force: true });
    }
    throw new VolumeMissing(`${volume.file} is damaged. ${error.message} It is fetched anew.`, { cause: error });
  }
}

async function changedOf(volumes: readonly Volume[], repairFrom: RepairSource): Promise<Volume[]> {
  const changed: Volume[] = [];
  for (const volume of volumes) {
    try {
      await askAgain({ volume, start: 0, end: 1 }, repairFrom);
    } catch (error) {
      if (!(error instanceof VolumeChanged)) throw error;
      changed.push(volume);
    }
  }
  return changed;
}

async function askAgain({ volume, start, end }: VolumePart, repairFrom: RepairSource): Promise<number> {
  const { host, onProgress, signal, backOff = defaultBackOff } = repairFrom;
  const record = await readRecord(volume.file);
  if (record === null) throw new VolumeMissing(`${volume.file} has no .json beside it. Fetch the bundle again.`);
  const report = (doneBytes: number, what: string) =>
    onProgress?.({ doneBytes, totalBytes: end - start, doneFiles: 0, totalFiles: 1, current: what });
  report(0, `${volume.path} (looking for the damage)`);
  return compareWithHost({
    host,
    credentials: await repairFrom.credentials(),
    backOff,
    record,
    file: volume.file,
    start,
    end,
    onBytes: (bytes) => report(bytes, `${volume.path} (looking for the damage)`),
    onWait: (reason) => report(0, `${volume.path} (waiting: ${reason})`),
    ...(signal ? { signal } : {}),
  });
}

async function noteRepaired(
  { file, path, size }: Volume,
  wrong: number,
  { onRepaired, signal }: RepairSource,
): Promise<void> {
  const record = await readRecord(file);
  if (record === null) return;
  const hashes = new FileHashes(signal);
  const sha256 = await withCleanUp(
    () => hashes.begin(file).digest(size),
    () => hashes.close(),
  );
  onRepaired?.(`${path} was damaged: ${wrong} wrong bytes were put right from the host.`);
  await writeRecord(file, { ...record, sha256 });
}

/** Where the volumes of an archive lie. */
export function volumesAt(
  downloads: string,
  fetched: readonly { readonly path: string; readonly size: number }[],
): Volume[] {
  return fetched.map(({ path, size }) => ({ path, size, file: join(downloads, ...path.split('/')) }));
}
