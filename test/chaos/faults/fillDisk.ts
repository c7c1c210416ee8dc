import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const chunk = Buffer.alloc(2 ** 20);

/** Fills the disk of a folder to its last byte. @returns what makes room again */
export function fillDisk(folder: string): () => void {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  const file = openSync(ballast, 'w');
  try {
    for (let left = bavail * bsize; left > 0; left -= chunk.length)
      writeSync(file, chunk, 0, Math.min(left, chunk.length));
  } catch (error) {
    // Others write too: then it is full a little earlier.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return () => rmSync(ballast, { force: true });
}
