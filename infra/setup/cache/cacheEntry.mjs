import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../paths.mjs';

const unfinished = '.unfinished-';

/**
 * Makes a folder of the cache, all or nothing: `fill` works in a folder beside it, which takes the final name last.
 *
 * @param {string} directory the folder to make, directly inside the cache
 * @param {(workshop: { result: string, scratch: string }) => Promise<void>} fill writes `result`; `scratch` is thrown away
 * @returns {Promise<void>}
 */
export async function makeCacheEntry(directory, fill) {
  const workshop = path.join(cacheDirectory, `${unfinished}${path.basename(directory)}-${process.pid}`);
  const result = path.join(workshop, 'result');
  const scratch = path.join(workshop, 'scratch');
  mkdirSync(result, { recursive: true });
  mkdirSync(scratch, { recursive: true });
  try {
    await fill({ result, scratch });
    // A finished entry found here was made meanwhile by somebody who does not see our lock: it is as good as ours.
    if (!existsSync(directory)) renameSync(result, directory);
  } finally {
    rmSync(workshop, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Removes what set-ups that were killed left behind. To be called with the lock held. What a running process works on is left
 * alone: tests make entries of their own (a server, the chart's tools), which take minutes, without the lock.
 *
 * @returns {Promise<void>}
 */
export async function removeUnfinished() {
  for (const name of await readdir(cacheDirectory)) {
    const maker = Number(/-(\d+)$/.exec(name)?.[1]);
    if (!name.startsWith(unfinished) || isRunning(maker)) continue;
    rmSync(path.join(cacheDirectory, name), { recursive: true, force: true });
  }
}

/** @param {number} pid of another process; its own works on nothing when it calls */
function isRunning(pid) {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
