import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isJunk } from '../discover/junk.js';
import { framePath } from '../layout.js';
import { scanExtensions } from '../reader/readScan.js';
import type { FrameId } from '../types.js';

/** Folders of one split, absolute. */
export interface SplitPaths {
  readonly images: string;
  readonly calibrations: string;
  readonly scans: string | null;
  readonly registrations: string | null;
}

export interface FrameFiles {
  readonly id: FrameId;
  /** By view's name, in sorted order. */
  readonly images: ReadonlyMap<string, string>;
  readonly scan: string | null;
  readonly registration: string | null;
}

/** Which files there are of a sequence's frames. */
export interface SequenceFiles {
  readonly subject: string;
  readonly sequence: string;
  /** By camera's name, in sorted order. */
  readonly calibrations: ReadonlyMap<string, string>;
  readonly frames: readonly FrameFiles[];
  /** Changes when a file comes, goes, or becomes another (by size and time). */
  readonly fingerprint: string;
}

/** Finds the files of a sequence's frames; nothing is read. */
export async function findSequenceFiles(
  paths: SplitPaths,
  ids: readonly FrameId[],
  imageExtension: string,
): Promise<SequenceFiles> {
  const { subject, sequence } = ids[0]!;
  const hash = createHash('sha256').update(JSON.stringify([imageExtension, ids]));
  const note = async (file: string): Promise<boolean> => {
    try {
      const found = await stat(file);
      if (!found.isFile()) return false;
      // Without the worker's own folder; 7-Zip restores times to the second or better.
      hash.update(`${basename(dirname(file))}/${basename(file)} ${found.size} ${Math.floor(found.mtimeMs / 1000)}\n`);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  };
  const folder = join(paths.calibrations, subject, sequence);
  const calibrations = new Map<string, string>();
  for (const name of await namesIn(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.tka') && !isJunk(name) && (await note(file)))
      calibrations.set(name.slice(0, -'.tka'.length), file);
  }
  const frames: FrameFiles[] = [];
  for (const id of ids) {
    const images = new Map<string, string>();
    const frameFolder = join(paths.images, subject, sequence, id.frame);
    const [start, end] = [`${sequence}.${id.frame}.`, `.${imageExtension}`];
    for (const name of await namesIn(frameFolder)) {
      const file = join(frameFolder, name);
      if (!name.startsWith(start) || !name.endsWith(end) || name.length <= start.length + end.length) continue;
      if (await note(file)) images.set(name.slice(start.length, -end.length), file);
    }
    const { scans, registrations } = paths;
    const scanFiles = scans === null ? [] : scanExtensions.map((extension) => join(scans, framePath(id, extension)));
    const scan = await firstThere(scanFiles, note);
    const registrationFiles = registrations === null ? [] : [join(registrations, framePath(id, 'ply'))];
    const registration = await firstThere(registrationFiles, note);
    frames.push({ id, images, scan, registration });
  }
  return { subject, sequence, calibrations, frames, fingerprint: hash.digest('hex') };
}

async function firstThere(files: readonly string[], isThere: (file: string) => Promise<boolean>) {
  for (const file of files) if (await isThere(file)) return file;
  return null;
}

/** Sorted; empty where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
