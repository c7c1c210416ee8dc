import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { explainWriteError } from './writeErrors.js';

const recordSchema = z.object({
  path: z.string(),
  size: z.number().nullable(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  /** Hash of the whole file; null while it is being fetched. */
  sha256: z.string().nullable(),
});

/** What is known of a downloaded file, kept beside it. */
export type DownloadRecord = z.infer<typeof recordSchema>;

/** A file that is there, whole. */
export interface FetchedFile {
  /** PATH on the host. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** `FILE.json` of a finished file, `FILE.part.json` of an unfinished one. */
export function recordPath(file: string): string {
  return `${file}.json`;
}

export function partPath(file: string): string {
  return `${file}.part`;
}

/** null where there is none, or none that can be read. */
export async function readRecord(file: string): Promise<DownloadRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(recordPath(file), 'utf8')));
  } catch {
    return null;
  }
}

/** @throws DiskFull */
export async function writeRecord(file: string, record: DownloadRecord): Promise<void> {
  const temporary = `${recordPath(file)}.${process.pid}.new`;
  try {
    await writeFile(temporary, JSON.stringify(record, null, 1));
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteError(error, recordPath(file));
  }
  await rename(temporary, recordPath(file));
}

/** A file that was fetched before, by its record; null where it is not there or its size is another. */
export async function findFetched(file: string): Promise<FetchedFile | null> {
  const record = await readRecord(file);
  if (record === null || record.sha256 === null || record.size === null) return null;
  if ((await sizeOf(file)) !== record.size) return null;
  return { path: record.path, size: record.size, sha256: record.sha256 };
}

/** null where there is no file. */
export async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
