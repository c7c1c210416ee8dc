import { answerProblem } from './answerProblem.js';
import { checkSignature, explainPage, isPage, startLength } from './answers.js';
import type { BackOff } from './backOff.js';
import { UnexpectedAnswer } from './errors.js';
import {
  rangeValidator,
  requestFile,
  sameVersion,
  statedSize,
  validatorsOf,
  type HostCredentials,
} from './hostRequest.js';
import { PartFile } from './partFile.js';
import { Passing, unlessStalled, withRetries } from './retries.js';
import { findFetched, type FetchedFile } from './sidecar.js';

export interface DownloadOptions {
  readonly host: string;
  /** PATH on the host. */
  readonly path: string;
  /** Where it is kept. */
  readonly file: string;
  readonly credentials: HostCredentials;
  readonly backOff: BackOff;
  /** Bytes that are there, and the file's size if it is known. */
  readonly onBytes: (bytes: number, size: number | null) => void;
  readonly onWait: (reason: string) => void;
  readonly signal?: AbortSignal;
}

export interface Download extends FetchedFile {
  /** Bytes that came over the network this time. */
  readonly fetchedBytes: number;
}

/**
 * Fetches a file of the host, or finds it. What an interruption left is gone on with, in a new process too, as long as
 * the host's file is the same. Hiccups of the host and the network are waited for.
 *
 * @throws HostCredentialsRefused, FileMissingOnHost, UnexpectedAnswer, HostUnavailable, DiskFull
 */
export async function downloadFile(options: DownloadOptions): Promise<Download> {
  const { path, file, signal } = options;
  const there = await findFetched(file);
  if (there) {
    options.onBytes(there.size, there.size);
    return { ...there, fetchedBytes: 0 };
  }
  const part = await PartFile.open(path, file, signal);
  let fetchedBytes = 0;
  const onReceived = (bytes: number) => {
    fetchedBytes += bytes;
  };
  try {
    options.onBytes(part.length, part.version?.size ?? null);
    const receiveOnce = () => receive(options, part, onReceived);
    await withRetries(options, receiveOnce, () => part.length);
    return { ...(await part.finish()), fetchedBytes };
  } finally {
    await part.close();
  }
}

/** One request, that ends with the whole file or an error. */
async function receive(options: DownloadOptions, part: PartFile, onReceived: (n: number) => void): Promise<void> {
  const { host, path, credentials, backOff } = options;
  if (part.length > 0 && part.version?.size === part.length) return;
  try {
    await unlessStalled(backOff.stall, options.signal, async (signal, alive) => {
      const validator = part.version && rangeValidator(part.version);
      const response = await requestFile(host, path, credentials, rangeHeaders(part.length, validator), signal);
      const skip = await accept(response, options, part);
      await store(response, options, part, skip, (bytes) => {
        alive();
        onReceived(bytes);
      });
    });
  } finally {
    // What came is kept, whatever ended the connection.
    await part.flush();
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

/**
 * Acts on the head of an answer: refuses what is no file, forgets what is there if the host's file is another one now.
 *
 * @returns how many bytes of the body are there already.
 */
async function accept(response: Response, options: DownloadOptions, part: PartFile): Promise<number> {
  const { host, path } = options;
  if (response.status === 416) {
    // The file is shorter than what is there: another one.
    await response.body?.cancel();
    await part.restart();
    throw new Passing('the file changed at the host');
  }
  const problem = await answerProblem(response, host, path);
  if (problem) throw problem;
  const size = statedSize(response);
  const version = { size, ...validatorsOf(response) };
  const begun = part.version;
  const sameSize = size === null || begun === null || begun.size === null || size === begun.size;
  const same = begun === null || (sameVersion(begun, version) && sameSize);
  const from = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  const start = response.status === 206 ? Number(from) : 0;
  if (!same || (response.status === 206 && start !== part.length)) {
    await part.restart();
    if (response.status === 206) {
      await response.body?.cancel();
      throw new Passing('the file changed at the host');
    }
  }
  await part.describe(version);
  return part.length - start;
}

/** Takes the body, but for the bytes at its start that are there already. */
async function store(
  response: Response,
  { host, path, onBytes }: DownloadOptions,
  part: PartFile,
  skip: number,
  onReceived: (bytes: number) => void,
): Promise<void> {
  if (!response.body) throw new UnexpectedAnswer(`${host} answers the request for ${path} without a body.`);
  /** The file's first bytes, until there are enough to tell what it is. */
  let start: Uint8Array | null = part.length === 0 ? new Uint8Array(0) : null;
  const takeStart = async (bytes: Uint8Array): Promise<void> => {
    start = null;
    if (isPage(null, bytes)) throw explainPage(Buffer.from(bytes).toString('utf8'), host, path);
    checkSignature(path, bytes);
    await part.append(bytes);
  };
  let toSkip = skip;
  for await (const received of response.body as unknown as AsyncIterable<Uint8Array>) {
    onReceived(received.length);
    const chunk = received.subarray(Math.min(received.length, toSkip));
    toSkip -= received.length - chunk.length;
    if (start !== null) {
      start = Buffer.concat([start, chunk]);
      if (start.length >= startLength) await takeStart(start);
    } else if (chunk.length > 0) {
      await part.append(chunk);
    }
    onBytes(part.length, part.version?.size ?? null);
  }
  if (start !== null) await takeStart(start);
  onBytes(part.length, part.version?.size ?? null);
}
