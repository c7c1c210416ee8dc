import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../../disk/makeFolder.js';

/**
 * What is done under a lock takes milliseconds: one that has been seen unchanged for so long belongs to a process that is
 * gone. Its file's time says nothing: clocks jump, and two machines' differ.
 */
const staleAfterMilliseconds = 10_000;

/**
 * Runs `work` while no other process on this directory does so under the same lock file. A lock that a killed process
 * left behind is removed.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path);
  try {
    return await work();
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

async function acquire(path: string): Promise<void> {
  await makeFolder(dirname(path));
  const seen = { version: '', since: 0 };
  for (;;) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(JSON.stringify({ host: hostname(), process: process.pid }));
      await file.close();
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    if (await isStale(path, seen)) await remove(path);
    else await sleep(2 + Math.random() * 8);
  }
}

/** @param seen which lock there was, and since when by this process's own count of milliseconds. */
async function isStale(path: string, seen: { version: string; since: number }): Promise<boolean> {
  try {
    const { ino, mtimeMs } = await stat(path);
    const version = `${ino} ${mtimeMs}`;
    if (version !== seen.version) Object.assign(seen, { version, since: performance.now() });
    if (performance.now() - seen.since > staleAfterMilliseconds) return true;
    const owner = JSON.parse(await readFile(path, 'utf8')) as { host?: string; process?: number };
    return owner.host === hostname() && typeof owner.process === 'number' && !isAlive(owner.process);
  } catch {
    // Gone in the meantime, or just being written: look again.
    return false;
  }
}

/** Whether this machine has a process of this number. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Of several that see the same stale lock, the rename lets one have it. */
async function remove(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    await unlink(aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
}
