import { createHash } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand, type CompletedPart, type S3Client } from '@aws-sdk/client-s3';
import { statusOf } from './errors/s3Failure.js';
import { etagOf } from './s3Reading.js';

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** What an upload in parts is to become. */
export interface Assembled {
  readonly size: number;
  /** Hex SHA-256 of the whole. */
  readonly sha256: string;
  /** All of them, in their order, with ETags and SHA-256. */
  readonly parts: readonly CompletedPart[];
}

/** An object as it is now, compared with an upload. */
export interface AssembledFound {
  readonly etag: string;
  /** Size and checksum, or ETag, say that this upload made it. */
  readonly isOurs: boolean;
  /** In what it is not what was sent; null where nothing contradicts. */
  readonly difference: string | null;
}

/** Asks what there is under a key. @returns null if there is nothing. */
export async function lookAtAssembled(
  client: S3Client,
  place: Place,
  { size, sha256, parts }: Assembled,
): Promise<AssembledFound | null> {
  let head;
  try {
    head = await client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
  } catch (cause) {
    if (statusOf(cause) === 404) return null;
    throw cause;
  }
  const found = head.ContentLength ?? 0;
  // Of parts, S3 keeps the hash of their hashes, with their number; some stores that of the whole.
  const checksum = /^([^-]+)(-\d+)?$/.exec(head.ChecksumSHA256 ?? '')?.[1];
  const expected = [checksumOfParts(parts), Buffer.from(sha256, 'hex').toString('base64')];
  const isRight = checksum !== undefined && expected.includes(checksum);
  const isOurs =
    found === size && (isRight || (checksum === undefined && etagOf(head.ETag, place.Key) === etagOfParts(parts)));
  const difference =
    found !== size
      ? `it has ${found} bytes; ${size} were sent in ${parts.length} parts`
      : checksum !== undefined && !isRight
        ? `the SHA-256 over its parts is ${checksum}; ${expected[0]} was sent`
        : null;
  return { etag: etagOf(head.ETag, place.Key), isOurs, difference };
}

export async function removeAssembled(client: S3Client, place: Place): Promise<void> {
  await client.send(new DeleteObjectCommand(place));
}

/** Base64 SHA-256 over the SHA-256 of the parts. */
function checksumOfParts(parts: readonly CompletedPart[]): string {
  const hash = createHash('sha256');
  for (const { ChecksumSHA256 } of parts) hash.update(Buffer.from(ChecksumSHA256 ?? '', 'base64'));
  return hash.digest('base64');
}

/** As S3 makes it of parts' ETags that are MD5; another one where they are something else. */
function etagOfParts(parts: readonly CompletedPart[]): string {
  const hash = createHash('md5');
  for (const { ETag } of parts) hash.update(Buffer.from((ETag ?? '').replaceAll('"', ''), 'hex'));
  return `"${hash.digest('hex')}-${parts.length}"`;
}
