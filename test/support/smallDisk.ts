import { execFileSync } from 'node:child_process';
import { after } from 'node:test';
import { temporaryFolder } from './temporaryFolder.js';

export interface SmallDisk {
  readonly directory: string;
  /** Makes it larger. @param size as mount takes it: `20m`. */
  readonly resize: (size: string) => void;
}

/** A file system of the test file's own, gone at its end; null where this user may not mount one. */
export async function smallDisk(size: string): Promise<SmallDisk | null> {
  const directory = temporaryFolder();
  const mount = (options: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' });
  };
  try {
    mount(`size=${size}`);
  } catch {
    return null;
  }
  after(() => execFileSync('umount', [directory]));
  return { directory, resize: (larger) => mount(`remount,size=${larger}`) };
}
