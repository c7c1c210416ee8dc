import { rm } from 'node:fs/promises';
import { answerProblem } from './host/answerProblem.js';
import { checkSignature, explainPage, isPage, startLength } from './host/answers.js';
import type { BackOff } from './retrying/backOff.js';
import type { FileHashes } from './disk/fileHashes.js';
import { ChecksumDiffers, UnexpectedAnswer } from './errors.js';
import {
  rangeValidator,
  requestFile,
  sameVersion,
  statedSize,
  validatorsOf,
  type HostCredentials,
} from './host/hostRequest.js';
import type { HttpAnswer } from './host/httpAnswer.js';
import { PartFile, type Version } from './disk/partFile.js';
import type { Reserve } from './disk/reserve.js';
import { Passing, unlessStalled, withRetries } from './retrying/retries.js';
import { findFetched, recordPath, type FetchedFile } from './disk/sidecar.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface DownloadOptions {
  readonly host: string;
  /** PATH on the host. */
  readonly path: string;
  /** Where it is kept. */
  readonly file: string;
  /** Hex; null where it is not known. */
  readonly sha256: string | null;
  readonly credentials: HostCredentials;
  readonly backOff: BackOff;
  readonly hashes: FileHashes;
  /** What is kept free on the disk that it is written to. */
  readonly reserve: Reserve;
  /** Bytes that are there, and the file's size if it is known. */
  readonly onBytes: (bytes: number, size: number | null) => void;
  readonly onWait: (reason: string) => void;
  readonly signal?: AbortSignal;
}

export interface Download extends FetchedFile {
  /** Bytes that came over the network this time. */
  readonly fetchedBytes: number;
}

/** A file that is another one at every look, or comes with wrong bytes every time, is nothing to wait for. */
const mostVersions = 4;

/**
 * Fetches a file of the host, or finds it. What an interruption left is continued, in a new process too, as long as
 * the host's file is the same. Hiccups of the host and the network are waited for.
 *
 * @throws HostCredentialsRefused, FileMissingOnHost, UnexpectedAnswer, HostUnavailable, HostUntrusted, ChecksumDiffers,
 *   DiskFull
 */
export async function downloadFile(options: DownloadOptions): Promise<Download> {
  const { path, file, host, sha256 } = options;
  let fetchedBytes = 0;
  for (let attempt = 1; ; attempt++) {
    const there = await findFetched(file);
    if (there && (sha256 === null || there.sha256 === sha256)) {
      options.onBytes(there.size, there.size);
      return { ...there, fetchedBytes };
    }
    if (there) {
      await rm(file, { force: true });
      await rm(recordPath(file), { force: true });
    }
    const download = await downloadOnce(options);
    fetchedBytes += download.fetchedBytes;
    if (sha256 === null || download.sha256 === sha256) return { ...download, fetchedBytes };
    if (attempt === mostVersions) {
      throw new ChecksumDiffers(
        `${path} came from ${host} with SHA-256 ${download.sha256}, ${attempt} times; ${sha256} is known for it. ` +
          'Either the host has another file, or the known checksum is wrong.',
      );
    }
    options.onWait(`it came with SHA-256 ${download.sha256}, not ${sha256}: fetched again`);
  }
}

async function downloadOnce(options: DownloadOptions): Promise<Download> {
  const { path, file, hashes } = options;
  const part = await PartFile.open(path, file, hashes, options.reserve);
  let fetchedBytes = 0;
  const onReceived = (bytes: number) => {
    fetchedBytes += bytes;
  };
  return withCleanUp(
    async () => {
      options.onBytes(part.length, part.version?.size ?? null);
      const receiveOnce = () => receive(options, part, onReceived);
      await withRetries(options, receiveOnce, () => part.length);
      return { ...(await part.finish()), fetchedBytes };
    },
    () => part.close(),
  );
}

/** One request, that ends with the whole file or an error. */
async function receive(options: DownloadOptions, part: PartFile, onReceived: (n: number) => void): Promise<void> {
  const { host, path, credentials, backOff } = options;
  if (part.length > 0 && part.version?.size === part.length) return;
  try {
    await unlessStalled(backOff, options.signal, async (signal, alive) => {
      const validator = part.version && rangeValidator(part.version);
      const response = await requestFile(host, path, credentials, rangeHeaders(part.length, validator), signal);
      await store(response, options, part, (bytes) => {
        alive(bytes);
        onReceived(bytes);
      });
    });
  } finally {
    // What came is kept, whatever ended the connection.
    await part.settle();
  }
  const size = part.version?.size ?? null;
  if (size === null || part.length === size) return;
  const found = part.length;
  if (found > size) await part.restart();
  throw new Passing(`${found} bytes came, the host had announced ${size}`);
}

function rangeHeaders(from: number, validator: string | null): Record<string, string> {
  if (from === 0) return {};
  return { Range: `bytes=${from}-`, ...(validator === null ? {} : { 'If-Range': validator }) };
}

/** Takes the body, but for the bytes at its start that are there already. */
async function store(
  response: HttpAnswer,
  options: DownloadOptions,
  part: PartFile,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const { host, path, onBytes } = options;
  const problem = response.status === 416 ? null : await answerProblem(response, host, path);
  if (problem) throw problem;
  /** Bytes of the body that are there already; null until the answer's start has told what it is. */
  let skip: number | null = null;
  let start: Uint8Array = new Uint8Array(0);
  const take = async (bytes: Uint8Array): Promise<void> => {
    const chunk = bytes.subarray(Math.min(bytes.length, skip ?? 0));
    skip = (skip ?? 0) - (bytes.length - chunk.length);
    if (chunk.length > 0) await part.append(chunk);
    onBytes(part.length, part.version?.size ?? null);
  };
  const begin = async (): Promise<void> => {
    // Only then is anything given up that is there: an answer's head alone may be that of a page about a fault.
    if (isPage(null, start)) throw explainPage(Buffer.from(start).toString('utf8'), host, path);
    const from = startOf(response, part.length);
    if (from === 0) checkSignature(path, start);
    skip = await accept(response, options, part, from);
    await take(start);
  };
  if (response.status === 416) {
    response.cancel();
    await accept(response, options, part, null);
  }
  for await (const received of response.body) {
    onReceived(received.length);
    if (skip !== null) {
      await take(received);
      continue;
    }
    start = start.length === 0 ? received : Buffer.concat([start, received]);
    if (start.length >= startLength) await begin();
  }
  if (skip === null) await begin();
}

/** Where in the file the body begins. */
function startOf(response: HttpAnswer, asked: number): number {
  if (response.status === 200) return 0;
  const from = /^bytes (\d+)-/.exec(response.header('content-range') ?? '')?.[1];
  if (Number(from) === asked) return asked;
  throw new Passing(`bytes from ${asked} on were asked for, the host sent those from ${from ?? 'nowhere'} on`);
}

/**
 * Compares an answer with what is there, which is forgotten if the host's file is another one now.
 *
 * @param from where the body begins; null if there is none (status 416).
 * @returns how many bytes of the body are there already.
 */
async function accept(
  response: HttpAnswer,
  options: DownloadOptions,
  part: PartFile,
  from: number | null,
): Promise<number> {
  const version: Version = { size: statedSize(response), ...validatorsOf(response) };
  const begun = part.version;
  const sameSize = version.size === null || begun === null || begun.size === null || version.size === begun.size;
  const same = begun === null || sameVersion(begun, version);
  if (same && !sameSize && sharesValidator(begun, version)) {
    // The same file cannot have two sizes.
    throw new Passing(`the host announces ${version.size} bytes of a file that it said has ${begun?.size}`);
  }
  if (from !== null && same && sameSize) {
    await part.describe({ ...version, size: version.size ?? begun?.size ?? null });
    return part.length - from;
  }
  if (same && sameSize)
    throw new Passing(`bytes from ${part.length} on were asked for, the host says that there are none`);
  await part.restart();
  part.versions++;
  if (part.versions >= mostVersions) {
    throw new UnexpectedAnswer(`${options.path} is another file at ${options.host} each time that it is asked for.`);
  }
  if (from !== 0) {
    throw new Passing('the file changed at the host');
  }
  await part.describe(version);
  return 0;
}

/** Whether both speak of a version at all. */
function sharesValidator(before: Version | null, now: Version): boolean {
  if (before === null) return false;
  return (before.etag !== null && now.etag !== null) || (before.lastModified !== null && now.lastModified !== null);
}
