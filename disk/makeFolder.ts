import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

interface FolderOptions {
  /** Of what is made; what the process is set to if absent. */
  readonly mode?: number;
}

/** For what another process removes meanwhile. */
const tries = 4;

/**
 * Makes a folder and those that it lies in; one that is there is left as it is. Node's `recursive` never returns where a file
 * system says of a new name that its parent is missing, which is there (/proc does): it makes the parent again and again.
 *
 * @throws the system's error
 */
export async function makeFolder(folder: string, options: FolderOptions = {}): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      await mkdir(folder, options);
      return;
    } catch (error) {
      if (await isFolder(folder)) return;
      if (!mayBeParents(error, folder) || left === 1) throw error;
    }
    await makeFolder(dirname(folder), options);
  }
}

/** {@link makeFolder} where nothing can be waited for. */
export function makeFolderSync(folder: string, options: FolderOptions = {}): void {
  for (let left = tries; ; left--) {
    try {
      mkdirSync(folder, options);
      return;
    } catch (error) {
      if (isFolderSync(folder)) return;
      if (!mayBeParents(error, folder) || left === 1) throw error;
    }
    makeFolderSync(dirname(folder), options);
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function mayBeParents(error: unknown, folder: string): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(folder) !== folder;
}
