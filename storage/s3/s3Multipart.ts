import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { partsOf } from './fileParts.js';
import { mapLimited } from '../async/mapLimited.js';
import { lookAtAssembled, removeAssembled, type Assembled } from './s3Assembled.js';
import { nameOf, statusOf, wasRetried } from './errors/s3Failure.js';
import type { ObjectOptions } from './s3ObjectOptions.js';
import { etagOf } from './s3Reading.js';
import { abandonUpload } from './s3Uploads.js';
import { ChecksumMismatch, StoreUnavailable, type PutOptions } from '../types.js';

const mostParts = 10_000;
const partsAtOnce = 4;
/** Milliseconds: what a store keeps of an abandoned upload is found by a later claim, which lists them. */
const abandonTimeout = 10_000;

export interface MultipartTarget {
  readonly client: S3Client;
  readonly bucket: string;
  /** With the store's prefix. */
  readonly objectKey: string;
  readonly writtenWith: ObjectOptions;
  /** For messages. */
  readonly key: string;
  readonly store: string;
}

/**
 * Sends a large body in parts, four at a time, each with its SHA-256. The object appears when every part is there, the
 * condition holds and the whole has the promised SHA-256; what the store made of them is then compared in size and
 * checksum. The first failure stops all, and nothing of the upload remains.
 *
 * `@aws-sdk/lib-storage` does not take its place: it cannot compare the whole with a promised hash before the object
 * appears, goes on sending the other parts after one has failed or the put was aborted, and lets a failed clean-up
 * replace the first error.
 *
 * @returns the object's ETag.
 */
export async function putInParts(
  target: MultipartTarget,
  body: Uint8Array | { readonly path: string },
  size: number,
  leastPartSize: number,
  options: PutOptions,
): Promise<string> {
  const { client, bucket: Bucket, objectKey: Key, writtenWith } = target;
  const { contentType: ContentType } = options;
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType, ChecksumAlgorithm: 'SHA256', ...writtenWith }),
    { abortSignal: options.signal },
  );
  if (UploadId === undefined) {
    throw new StoreUnavailable(`${target.store} began an upload of ${target.key} without naming it (no UploadId).`);
  }
  try {
    const { parts, sha256 } = await sendParts(target, UploadId, body, size, leastPartSize, options.signal);
    if (options.sha256 !== undefined && sha256 !== options.sha256) {
      throw new ChecksumMismatch(target.key, target.store, options.sha256, sha256);
    }
    const expected: Assembled = { size, sha256, parts };
    const etag = await complete(target, UploadId, expected, options);
    await verify(target, etag, expected);
    return etag;
  } catch (cause) {
    // Whatever comes of this, the error that is thrown is why the upload failed.
    await abandonUpload(client, Bucket, { key: Key, id: UploadId }, AbortSignal.timeout(abandonTimeout)).catch(
      () => undefined,
    );
    throw cause;
  }
}

async function sendParts(
  { client, bucket: Bucket, objectKey: Key, key, store }: MultipartTarget,
  UploadId: string,
  body: Uint8Array | { readonly path: string },
  size: number,
  leastPartSize: number,
  signal: AbortSignal | undefined,
): Promise<{ parts: CompletedPart[]; sha256: string }> {
  const partSize = Math.max(leastPartSize, Math.ceil(size / mostParts));
  const whole = createHash('sha256');
  const hashed = async function* (): AsyncGenerator<{ number: number; content: Uint8Array; checksum: string }> {
    for await (const { number, content } of partsOf(body, size, partSize)) {
      whole.update(content);
      yield { number, content, checksum: createHash('sha256').update(content).digest('base64') };
    }
  };
  const parts = await mapLimited(hashed(), partsAtOnce, async (part, _index, failed) => {
    const { number: PartNumber, content: Body, checksum: ChecksumSHA256 } = part;
    const abortSignal = signal ? AbortSignal.any([signal, failed]) : failed;
    const { ETag } = await client.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumSHA256 }),
      { abortSignal },
    );
    if (ETag === undefined) {
      throw new StoreUnavailable(`${store} took part ${PartNumber} of ${key} and gave no ETag for it.`);
    }
    return { ETag, PartNumber, ChecksumSHA256 };
  });
  const expected = Math.ceil(size / partSize);
  if (parts.length !== expected) {
    throw new Error(`Of ${key}, ${parts.length} parts were sent; ${expected} make up its ${size} bytes.`);
  }
  return { parts, sha256: whole.digest('hex') };
}

/** @returns the object's ETag, also where the first answer was lost and the SDK asked again. */
async function complete(
  target: MultipartTarget,
  UploadId: string,
  expected: Assembled,
  options: PutOptions,
): Promise<string> {
  const { client, bucket: Bucket, objectKey: Key } = target;
  try {
    const { ETag } = await client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [...expected.parts] },
        IfMatch: options.ifMatch,
        IfNoneMatch: options.ifAbsent ? '*' : undefined,
      }),
      { abortSignal: options.signal },
    );
    return etagOf(ETag, target.key);
  } catch (cause) {
    const mayBeDone = wasRetried(cause) && (nameOf(cause) === 'NoSuchUpload' || statusOf(cause) === 412);
    const found = mayBeDone ? await lookAtAssembled(client, { Bucket, Key }, expected).catch(() => null) : null;
    if (found?.isOurs) return found.etag;
    throw cause;
  }
}

/** The object that has just appeared is what was sent, or it is taken away again. @throws StoreUnavailable */
async function verify(target: MultipartTarget, etag: string, expected: Assembled): Promise<void> {
  const { client, bucket: Bucket, objectKey: Key, key, store } = target;
  const found = await lookAtAssembled(client, { Bucket, Key }, expected);
  if (found === null) throw new StoreUnavailable(`${store} took ${key} in parts, but there is no such object.`);
  // Someone else has written it since: theirs is not ours to judge.
  if (found.difference === null || found.etag !== etag) return;
  const removed = await removeAssembled(client, { Bucket, Key }).then(
    () => 'It was removed.',
    (cause: unknown) => `It could not be removed (${nameOf(cause)}): delete it.`,
  );
  throw new StoreUnavailable(`${store} did not assemble ${key} as it was sent: ${found.difference}. ${removed}`);
}
