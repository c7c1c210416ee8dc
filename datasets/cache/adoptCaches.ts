import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { CacheBudget } from './cacheBudget.js';

/**
 * Moves what the caches of single runs hold, which earlier versions had below the worker's folder, into the one of the
 * node, and removes them: those of ended runs would lie there for ever. Several workers may do it at once.
 *
 * @param runs the folder of the runs' folders. @returns how many caches there were
 */
export async function adoptCaches(runs: string, directory: string, limitBytes: number | null): Promise<number> {
  let found = 0;
  for (const run of await readdir(runs).catch(() => [])) {
    const old = join(runs, run, 'cache');
    const folders = await readdir(old).catch(() => null);
    if (folders === null) continue;
    found++;
    let bytes = 0;
    for (const folder of folders.filter((name) => /^[0-9a-f]{2}$/.test(name))) {
      await makeFolder(join(directory, folder));
      for (const name of await readdir(join(old, folder)).catch(() => [])) {
        // What is half-written, lies on another disk, or was taken by another worker, is fetched again.
        if (!/^[0-9a-f]{64}$/.test(name)) continue;
        const fresh = join(directory, folder, name);
        const size = await rename(join(old, folder, name), fresh).then(
          async () => (await stat(fresh)).size,
          () => 0,
        );
        bytes += size;
      }
    }
    await rm(old, { recursive: true, force: true });
    // Without a limit of the worker's own the next run's counts, at its first object.
    await new CacheBudget(directory, limitBytes ?? Infinity).written(bytes);
  }
  return found;
}
