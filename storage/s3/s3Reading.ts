import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, type GetObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { makeFolder } from '../../disk/makeFolder.js';
import { withCleanUp } from '../async/cleanUp.js';
import { isChecksumMismatch } from './errors/s3Errors.js';
import { statusOf, wasRetried } from './errors/s3Failure.js';
import { StoreUnsuitable, type ObjectInformation } from '../types.js';

const attempts = 8;
const longestWaitMilliseconds = 200;
/** Larger ones are not compared with their ETag: only manifests and the like are read while they change. */
const largestCompared = 2 ** 20;

/** Thrown when what arrived is not what the answer's head announced. */
class BodyDiffers extends Error {
  override readonly name = 'BodyDiffers';
}

/**
 * Reads an object, or a range of it.
 *
 * @param key without the store's prefix.
 * @param isChecked false: the caller knows the content's hash, and compares it itself.
 */
export async function getObject(
  client: S3Client,
  request: GetObjectCommandInput,
  key: string,
  signal: AbortSignal | undefined,
  isChecked = true,
): Promise<{ body: Uint8Array; information: ObjectInformation }> {
  const differing: string[] = [];
  return tryAgain(signal, async () => {
    const command = new GetObjectCommand(request);
    if (!isChecked) askForNoChecksum(command);
    const { Body, ...found } = await client.send(command, { abortSignal: signal });
    const body = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
    const whole = /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1];
    const size = whole === undefined ? found.ContentLength : Number(whole);
    const information = describeObject(key, { ...found, ContentLength: size });
    // What KMS encrypts has an ETag of another kind.
    const isTagged = !/^aws:kms/.test(found.ServerSideEncryption ?? '');
    if (isChecked && isTagged && request.Range === undefined && body.length <= largestCompared) {
      compareWithTag(body, information.etag, differing);
    }
    return { body, information };
  });
}

/** The SDK knows this as a setting of all that a client reads: what it asks for is taken back for one command. */
function askForNoChecksum({ middlewareStack }: GetObjectCommand): void {
  const takeBack =
    <Args extends { readonly input: GetObjectCommandInput }, Answer>(next: (args: Args) => Promise<Answer>) =>
    (args: Args): Promise<Answer> => {
      const { ChecksumMode: _, ...input } = args.input;
      return next({ ...args, input });
    };
  middlewareStack.addRelativeTo(takeBack, {
    name: 'askForNoChecksum',
    relation: 'after',
    toMiddleware: 'flexibleChecksumsInputMiddleware',
  });
}

/** Streams an object into a file, which appears whole or not at all. */
export async function downloadObject(
  client: S3Client,
  request: GetObjectCommandInput,
  key: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInformation> {
  await makeFolder(dirname(path));
  return tryAgain(signal, async () => {
    const temporary = `${path}.${randomUUID()}.part`;
    const work = async (): Promise<ObjectInformation> => {
      const { Body, ...found } = await client.send(new GetObjectCommand(request), { abortSignal: signal });
      await pipeline(Body as Readable, createWriteStream(temporary), { signal });
      const { size } = await stat(temporary);
      if (size !== found.ContentLength) throw new BodyDiffers(`${size} bytes arrived of ${found.ContentLength}`);
      await rename(temporary, path);
      return describeObject(key, found);
    };
    return withCleanUp(work, () => rm(temporary, { force: true }));
  });
}

export function describeObject(
  key: string,
  found: {
    readonly ContentLength?: number | undefined;
    readonly ETag?: string | undefined;
    readonly LastModified?: Date | undefined;
  },
): ObjectInformation {
  return {
    key,
    size: found.ContentLength ?? 0,
    etag: etagOf(found.ETag, key),
    modified: found.LastModified ?? new Date(0),
  };
}

/**
 * The ETag of an answer, as conditional puts name it. A gateway that compresses marks it as weak (`W/`), and a weak one
 * meets no If-Match: the store itself has it without the mark.
 *
 * @throws StoreUnsuitable where there is none: an object could be overwritten without a condition.
 */
export function etagOf(given: string | undefined, key: string): string {
  const etag = given?.replace(/^W\//, '') ?? '';
  if (etag !== '') return etag;
  throw new StoreUnsuitable(
    `The answer about ${key} has no ETag, as every one of an S3 store has: something that stands before the store (a ` +
      'gateway, a proxy, a page to log in) takes it away or answers instead. Check storage.endpoint, HTTPS_PROXY and NO_PROXY.',
  );
}

/**
 * Some stores (versitygw on a file system) answer a read beside a write with the one version's ETag and the other's
 * content: a conditional put by that ETag would then overwrite what was never read. An ETag that is a plain MD5 shows it.
 * Of an encrypted object it is another hash: then the same pair comes every time, and is taken.
 */
function compareWithTag(body: Uint8Array, etag: string, differing: string[]): void {
  const expected = /^"?([0-9a-f]{32})"?$/.exec(etag)?.[1];
  if (expected === undefined) return;
  const found = createHash('md5').update(body).digest('hex');
  if (found === expected) return;
  const pair = `${found} ${expected}`;
  if (differing.includes(pair)) return;
  differing.push(pair);
  throw new BodyDiffers(`the content's MD5 is ${found}; the ETag says ${expected}`);
}

/** The SDK repeats requests, but not the reading of their answers' bodies. */
async function tryAgain<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      // With a status or several attempts, the SDK has done what can be done.
      const isUnknown = statusOf(cause) === undefined && !wasRetried(cause);
      const isTorn = cause instanceof BodyDiffers || isChecksumMismatch(cause) || isUnknown;
      if (!isTorn || cause instanceof StoreUnsuitable || attempt >= attempts || signal?.aborted) throw cause;
      await sleep(Math.min(20 * 2 ** attempt, longestWaitMilliseconds) * Math.random());
    }
  }
}
