import { stat, statfs } from 'node:fs/promises';
import { makeFolder } from '../../../disk/makeFolder.js';
import { DiskFull } from '../errors.js';

/** Left free for others on the disk. */
export const reservedBytes = 100_000_000;

/** Bytes that a folder's disk has free. */
export type FreeSpace = (directory: string) => Promise<number>;

export const freeSpace: FreeSpace = async (directory) => {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
};

/** What will be written below a folder. */
export interface SpaceNeed {
  readonly directory: string;
  readonly bytes: number;
  /** Human-readable: "the volumes of test-data". */
  readonly purpose: string;
}

/**
 * Checks that the disks of all folders have room, before anything is written: needs on one disk are added up.
 *
 * @throws DiskFull saying what is needed, what is there, and what to do.
 */
export async function checkDiskSpace(needs: readonly SpaceNeed[], free: FreeSpace = freeSpace): Promise<void> {
  const disks = new Map<number, SpaceNeed[]>();
  for (const need of needs) {
    if (need.bytes <= 0) continue;
    await makeFolder(need.directory);
    const { dev } = await stat(need.directory);
    disks.set(dev, [...(disks.get(dev) ?? []), need]);
  }
  for (const together of disks.values()) {
    const [{ directory }] = together as [SpaceNeed];
    const there = await free(directory);
    const sum = together.reduce((total, { bytes }) => total + bytes, 0);
    if (sum + reservedBytes <= there) continue;
    const each = together.map((need) => `${need.purpose} ${readableBytes(need.bytes)} in ${need.directory}`).join(', ');
    throw new DiskFull(
      `The disk is too small: needed are for ${each}; it has ${readableBytes(there)} free ` +
        `(${readableBytes(reservedBytes)} of it are left alone). Make room or use another disk, and resume.`,
    );
  }
}

const watchEvery = 2000;

/**
 * Runs work that writes, and ends it when others fill the disk: better than to take the last byte.
 *
 * @param work is given a signal that ends it; what it has written stays.
 * @throws DiskFull, or what the work throws.
 */
export async function whileRoom<T>(
  directory: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  free: FreeSpace = freeSpace,
): Promise<T> {
  await makeFolder(directory);
  const full = new AbortController();
  const look = async (): Promise<void> => {
    const there = await free(directory).catch(() => Infinity);
    if (there >= reservedBytes / 2) return;
    const message = `The disk of ${directory} has only ${readableBytes(there)} left. Make room, and resume: what is there is kept.`;
    full.abort(new DiskFull(message));
  };
  const timer = setInterval(() => void look(), watchEvery);
  try {
    return await work(signal ? AbortSignal.any([signal, full.signal]) : full.signal);
  } catch (error) {
    signal?.throwIfAborted();
    full.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** "1.5 GB". */
export function readableBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
