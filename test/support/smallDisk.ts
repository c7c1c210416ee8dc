import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export interface SmallDisk {
  readonly directory: string;
  /** Makes it larger. @param size as mount takes it: `20m`. */
  readonly resize: (size: string) => void;
}

/** A file system of the test file's own, gone at its end; null where this user may not mount one. */
export async function smallDisk(size: string): Promise<SmallDisk | null> {
  const directory = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const mount = (options: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' });
  };
  try {
    mount(`size=${size}`);
  } catch {
    await rm(directory, { recursive: true });
    return null;
  }
  after(async () => {
    execFileSync('umount', [directory]);
    await rm(directory, { recursive: true });
  });
  return { directory, resize: (larger) => mount(`remount,size=${larger}`) };
}
