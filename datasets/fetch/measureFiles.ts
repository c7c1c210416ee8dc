import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { checkSignature, isPage, startLength } from './host/answers.js';
import { answerProblem } from './host/answerProblem.js';
import { requestFile, statedSize, validatorsOf, type HostCredentials } from './host/hostRequest.js';
import type { BackOff } from './retrying/backOff.js';
import { FileHashes } from './disk/fileHashes.js';
import { unlessStalled, withRetries } from './retrying/retries.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { findFetched, partPath, readRecord, sizeOf, writeRecord, type DownloadRecord } from './disk/sidecar.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface MeasureOptions {
  readonly host: string;
  readonly credentials: HostCredentials;
  readonly backOff: BackOff;
  readonly atOnce: number;
  readonly fileOf: (path: string) => string;
  readonly onWait: (path: string) => (reason: string) => void;
  readonly signal: AbortSignal;
}

export interface Measured {
  /** null if the host does not say. */
  readonly size: number | null;
  /** Bytes that are on the disk already. */
  readonly there: number;
}

/** Of every file its size, asked for where it is not known. Files that someone laid there are taken if their size is right. */
export async function measureFiles(paths: readonly string[], options: MeasureOptions): Promise<Map<string, Measured>> {
  const hashes = new FileHashes(options.signal);
  return withCleanUp(
    async () => {
      const measured = await mapLimited(paths, options.atOnce, (path) => measure(path, hashes, options));
      return new Map(paths.map((path, i) => [path, measured[i]!]));
    },
    () => hashes.close(),
  );
}

async function measure(path: string, hashes: FileHashes, options: MeasureOptions): Promise<Measured> {
  const file = options.fileOf(path);
  const fetched = await findFetched(file);
  if (fetched) return { size: fetched.size, there: fetched.size };
  const begun = await readRecord(partPath(file));
  const there = begun ? ((await sizeOf(partPath(file))) ?? 0) : 0;
  if (begun && begun.size !== null) return { size: begun.size, there };

  const { size, etag, lastModified } = await ask(path, options);
  const laid = await sizeOf(file);
  if (laid === null || size === null || laid !== size) {
    // What the host says of its file now is what the download is held to.
    if (begun === null) await beginRecord(file, { path, size, etag, lastModified, sha256: null });
    return { size, there };
  }
  const sha256 = await hashes.begin(file).digest(size);
  await writeRecord(file, { path, size, etag, lastModified, sha256 });
  return { size, there: size };
}

async function beginRecord(file: string, record: DownloadRecord): Promise<void> {
  await makeFolder(dirname(file));
  await rm(partPath(file), { force: true });
  await writeRecord(partPath(file), record);
}

async function ask(path: string, options: MeasureOptions) {
  const { host, credentials, backOff, signal } = options;
  const retries = { host, path, backOff, signal, onWait: options.onWait(path) };
  return withRetries(retries, () =>
    unlessStalled(backOff, signal, async (signal) => {
      const response = await requestFile(host, path, credentials, { Range: 'bytes=0-3' }, signal);
      const problem = response.status === 416 ? null : await answerProblem(response, host, path);
      if (problem) throw problem;
      if (response.status === 206) {
        // A host that takes the range for a hint sends the whole file.
        let start: Uint8Array = new Uint8Array(0);
        for await (const piece of response.body) {
          start = Buffer.concat([start, piece]);
          if (start.length >= startLength) break;
        }
        if (!isPage(null, start)) checkSignature(path, start);
      } else {
        response.cancel();
      }
      return { size: statedSize(response), ...validatorsOf(response) };
    }),
  );
}
