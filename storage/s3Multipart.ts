import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { nameOf } from './s3Errors.js';
import { ChecksumMismatch, type PutOptions, type UnfinishedUpload } from './types.js';

const mostParts = 10_000;
const partsAtOnce = 4;

export interface MultipartTarget {
  readonly client: S3Client;
  readonly bucket: string;
  /** With the store's prefix. */
  readonly objectKey: string;
  /** For messages. */
  readonly key: string;
  readonly store: string;
}

/**
 * Sends a large body in parts, four at a time, each with its SHA-256. The object appears when the last part is there,
 * the condition holds and the whole has the promised SHA-256; else nothing of it remains.
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
  const { client, bucket: Bucket, objectKey: Key } = target;
  const send = { abortSignal: options.signal };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType: options.contentType, ChecksumAlgorithm: 'SHA256' }),
    send,
  );
  try {
    const { parts, sha256 } = await uploadParts(target, UploadId, body, size, leastPartSize, options.signal);
    if (options.sha256 !== undefined && sha256 !== options.sha256) {
      throw new ChecksumMismatch(target.key, target.store, options.sha256, sha256);
    }
    const completed = await client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: parts },
        IfMatch: options.ifMatch,
        IfNoneMatch: options.ifAbsent ? '*' : undefined,
      }),
      send,
    );
    return completed.ETag ?? '';
  } catch (cause) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    throw cause;
  }
}

/** @param below - with the store's prefix. @returns keys with the store's prefix */
export async function listUploads(client: S3Client, Bucket: string, below: string): Promise<UnfinishedUpload[]> {
  const found: UnfinishedUpload[] = [];
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: below, ...marker }));
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key?.startsWith(below) && UploadId !== undefined) found.push({ key: Key, id: UploadId });
    }
    if (page.IsTruncated !== true) return found;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** @param upload - its key with the store's prefix */
export async function abandonUpload(client: S3Client, Bucket: string, { key, id }: UnfinishedUpload): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: id }));
  } catch (cause) {
    if (nameOf(cause) !== 'NoSuchUpload') throw cause;
  }
}

async function uploadParts(
  { client, bucket: Bucket, objectKey: Key }: MultipartTarget,
  UploadId: string | undefined,
  body: Uint8Array | { readonly path: string },
  size: number,
  leastPartSize: number,
  signal: AbortSignal | undefined,
): Promise<{ parts: CompletedPart[]; sha256: string }> {
  const partSize = Math.max(leastPartSize, Math.ceil(size / mostParts));
  const hash = createHash('sha256');
  const parts: CompletedPart[] = [];
  const file = body instanceof Uint8Array ? null : await open(body.path, 'r');
  const read = async (offset: number): Promise<Uint8Array> => {
    if (body instanceof Uint8Array) return body.subarray(offset, offset + partSize);
    const buffer = new Uint8Array(Math.min(partSize, size - offset));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file!.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) throw new Error(`${body.path} became shorter while it was sent.`);
      filled += bytesRead;
    }
    return buffer;
  };
  const uploading = new Set<Promise<void>>();
  try {
    for (let offset = 0, PartNumber = 1; offset < size; offset += partSize, PartNumber++) {
      const content = await read(offset);
      hash.update(content);
      const ChecksumSHA256 = createHash('sha256').update(content).digest('base64');
      const upload = client
        .send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: content, ChecksumSHA256 }), {
          abortSignal: signal,
        })
        .then(({ ETag }) => {
          parts.push({ ETag, PartNumber, ChecksumSHA256 });
        })
        .finally(() => uploading.delete(upload));
      uploading.add(upload);
      if (uploading.size >= partsAtOnce) await Promise.race(uploading);
    }
    await Promise.all(uploading);
  } finally {
    await Promise.allSettled(uploading);
    await file?.close();
  }
  parts.sort((a, b) => a.PartNumber! - b.PartNumber!);
  return { parts, sha256: hash.digest('hex') };
}
