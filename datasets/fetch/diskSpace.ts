import { mkdir, statfs } from 'node:fs/promises';
import { DiskFull } from './errors.js';

/** Left free for others on the disk. */
const reservedBytes = 100_000_000;

/**
 * Checks that the disk of a folder has room, before anything is written.
 *
 * @param purpose for people: "the volumes of test-data".
 * @throws DiskFull saying what is needed, what is there, and what to do.
 */
export async function checkDiskSpace(directory: string, neededBytes: number, purpose: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (neededBytes > 0 && neededBytes + reservedBytes > free) {
    throw new DiskFull(
      `${purpose} need ${readableBytes(neededBytes)} in ${directory}, which has ${readableBytes(free)} free ` +
        `(${readableBytes(reservedBytes)} of it are left alone). Make room or use another disk, and resume.`,
    );
  }
}

/** The error of a write that failed, told as what it is. */
export function explainWriteError(error: unknown, file: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const message = `The disk is full: ${file} could not be written on. Make room, and resume: what is there is kept.`;
  return new DiskFull(message, { cause: error });
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
