import { randomUUID } from 'node:crypto';
import { constants, copyFile, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { makeFolder } from '../../disk/makeFolder.js';
import { printable } from '../../text/printable.js';
import { ownIdentity, runs } from './processIdentity.js';

const fileName = 'data-worker.lock';

const lockSchema = z.object({
  token: z.string(),
  owner: z.object({ host: z.string(), space: z.string(), pid: z.int(), startTime: z.string() }),
});
type Lock = z.infer<typeof lockSchema>;

/** Thrown when another data worker works on a folder. */
export class DirectoryTaken extends Error {
  override readonly name = 'DirectoryTaken';
}

export interface OwnDirectoryOptions {
  /** Ends the wait for a sign of life of an owner that cannot be seen. */
  readonly signal?: AbortSignal;
  /** Called with why it waits. */
  readonly onWait: (message: string) => void;
  /** Seconds between an owner's signs of life. */
  readonly renewSeconds?: number;
}

/**
 * Holds a folder for this process: two data workers on one would fetch and extract into the same files. The owner's sign
 * of life is the time of its file, which it renews; what others see is that it changes, for clocks differ. An owner of this
 * machine that is gone is noticed at once; of one elsewhere (a volume that moved to another node) nothing must have
 * come for four times `renewSeconds`.
 *
 * @returns what gives it back, and a signal that is aborted should another process have taken it nevertheless.
 * @throws DirectoryTaken
 */
export async function ownDirectory(
  directory: string,
  { signal, onWait, renewSeconds = 5 }: OwnDirectoryOptions,
): Promise<{ readonly lost: AbortSignal; readonly release: () => Promise<void> }> {
  await makeFolder(directory);
  const file = join(directory, fileName);
  const mine = JSON.stringify({ token: randomUUID(), owner: ownIdentity() } satisfies Lock);
  while (!(await create(file, mine))) {
    const theirs = await readText(file);
    if (theirs === null) continue;
    const owner = ownerOf(theirs);
    const who = owner === null ? 'a process that it does not name' : `process ${owner.pid} on ${printable(owner.host)}`;
    const seen = owner === null ? null : runs(owner);
    if (seen ?? (await showsLife(file, 4000 * renewSeconds, who, onWait, signal))) {
      throw new DirectoryTaken(
        `${directory} is the folder of another data worker that runs: ${who}. Two on one folder would write the same ` +
          'files. Give this one a --directory of its own, or stop the other.',
      );
    }
    await remove(file, theirs);
  }
  const lost = new AbortController();
  const renew = async (): Promise<void> => {
    const now = new Date();
    if ((await readText(file)) === mine) await utimes(file, now, now);
    else lost.abort(new DirectoryTaken(`${directory} was taken by another data worker: this one stops.`));
  };
  // A disk that fails for a moment does not end the holding.
  const timer = setInterval(() => void renew().catch(() => undefined), 1000 * renewSeconds);
  return {
    lost: lost.signal,
    release: async () => {
      clearInterval(timer);
      await remove(file, mine);
    },
  };
}

/** @returns whether there was none. */
async function create(file: string, lock: string): Promise<boolean> {
  try {
    await writeFile(file, lock, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null where there is none. */
async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null for what is just being written, or was cut off when a machine lost its power. */
function ownerOf(lock: string): Lock['owner'] | null {
  try {
    return lockSchema.parse(JSON.parse(lock)).owner;
  } catch {
    return null;
  }
}

/** Whether the owner renews the file while we look. */
async function showsLife(
  file: string,
  milliseconds: number,
  who: string,
  onWait: (message: string) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  onWait(`${file} is held by ${who}: waiting ${milliseconds / 1000} s for a sign of its life`);
  const timeOf = async () => (await stat(file).catch(() => null))?.mtimeMs ?? null;
  const before = await timeOf();
  for (let waited = 0; waited < milliseconds; waited += milliseconds / 20) {
    await sleep(milliseconds / 20, undefined, signal ? { signal } : {});
    const now = await timeOf();
    if (now === null) return false;
    if (now !== before) return true;
  }
  return false;
}

/** Of several that see the same file of a dead owner, the rename lets one have it; one that is another's is put back. */
async function remove(file: string, lock: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) !== lock) await copyFile(aside, file, constants.COPYFILE_EXCL).catch(() => undefined);
  await rm(aside, { force: true });
}
