import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { makeFolder } from '../disk/makeFolder.js';
import { generateMiniature, type GenerateOptions } from './generate.js';
import { packageMiniature, type PackagedFile } from './host/package.js';
import type { MiniatureSettings } from './settings.js';
import { sourceFingerprint } from './sourceFingerprint.js';
import { withCleanUp } from '../storage/async/cleanUp.js';

/** A packaged miniature on the disk, ready to be served. */
export interface PreparedMiniature {
  /** Holds the files at their PATHs on the host. */
  readonly packageDirectory: string;
  readonly files: readonly PackagedFile[];
  /** False when it was there already. */
  readonly generated: boolean;
  /** It was made by another generator, or with other settings, than these. */
  readonly outdated: boolean;
}

export interface PrepareOptions extends GenerateOptions {
  /**
   * The folder's name of what an interrupted run trains on: taken as it is, if it is there, whatever has become of the
   * generator since.
   */
  readonly interrupted?: string | null;
}

const contentsFile = 'contents.json';

/**
 * Generates and packs the miniature, or finds what an earlier call left: kept in a folder of its own below the cache,
 * named after the settings and the generator's code. It appears there complete or not at all, also when two processes
 * prepare the same one at a time.
 */
export async function prepareMiniature(
  cacheDirectory: string,
  settings: MiniatureSettings,
  options: PrepareOptions = {},
): Promise<PreparedMiniature> {
  const name = `${settings.name}-${await fingerprint(settings)}`;
  const { interrupted = null } = options;
  const known = interrupted !== null && isFolderName(interrupted) ? [interrupted, name] : [name];
  for (const each of known) {
    const packageDirectory = join(cacheDirectory, each);
    const present = await readContents(packageDirectory);
    if (present) return { packageDirectory, files: present, generated: false, outdated: each !== name };
  }
  const packageDirectory = join(cacheDirectory, name);
  await removeLeftovers(cacheDirectory);
  const workshop = `${packageDirectory}.${process.pid}-${randomBytes(4).toString('hex')}`;
  return withCleanUp(
    async () => {
      await generateMiniature(settings, join(workshop, 'data'), options);
      await makeFolder(join(workshop, 'package'));
      const files = await packageMiniature(join(workshop, 'data'), join(workshop, 'package'));
      await writeFile(join(workshop, 'package', contentsFile), JSON.stringify(files, null, 1));
      try {
        await rename(join(workshop, 'package'), packageDirectory);
      } catch (error) {
        // Another process was first; what it made is the same.
        if (!(await readContents(packageDirectory))) throw error;
      }
      return { packageDirectory, files, generated: true, outdated: false };
    },
    () => rm(workshop, { recursive: true, force: true }),
  );
}

/** Working folders of processes that were killed; those of running ones are left alone. */
async function removeLeftovers(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory).catch(() => [])) {
    const pid = /\.(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      await rm(join(cacheDirectory, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether it leads to a folder right below, and nowhere else. */
function isFolderName(name: string): boolean {
  return basename(name) === name && !['', '.', '..'].includes(name) && !name.includes('\0');
}

const contentsSchema = z.array(z.object({ path: z.string(), size: z.number(), sha256: z.string() })).min(1);

/** What a prepared package holds; undefined where there is none. */
async function readContents(packageDirectory: string): Promise<PackagedFile[] | undefined> {
  try {
    return contentsSchema.parse(JSON.parse(await readFile(join(packageDirectory, contentsFile), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Changes with the settings and with the code that makes and packs the data, so that no stale data are served. */
async function fingerprint(settings: MiniatureSettings): Promise<string> {
  const code = await sourceFingerprint(
    ['./generate.js', './host/package.js'].map((name) => fileURLToPath(new URL(name, import.meta.url))),
  );
  return createHash('sha256').update(JSON.stringify(settings)).update(code).digest('hex').slice(0, 16);
}
