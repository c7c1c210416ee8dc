import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { nameOf } from './errors/s3Failure.js';
import type { UnfinishedUpload } from '../types.js';

/**
 * A part that the store was still taking may outlive an abort: S3 asks to look, and to abort again. Such a part may also
 * come to lie there just after a look that found nothing.
 */
const mostAborts = 6;
const looksWithNothing = 2;
/** Milliseconds; longer each time. */
const abortPause = 100;

/** @param below with the store's prefix. @returns keys with the store's prefix */
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

/** @param upload its key with the store's prefix. One that has ended is no error. */
export async function abandonUpload(
  client: S3Client,
  Bucket: string,
  { key, id }: UnfinishedUpload,
  abortSignal?: AbortSignal,
): Promise<void> {
  const upload = { Bucket, Key: key, UploadId: id };
  let nothing = 0;
  for (let attempt = 1; attempt <= mostAborts; attempt++) {
    try {
      await client.send(new AbortMultipartUploadCommand(upload), { abortSignal });
    } catch (cause) {
      if (nameOf(cause) !== 'NoSuchUpload') throw cause;
    }
    // Where listing is not permitted, it has been aborted all the same.
    const remains = await client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }), { abortSignal }).then(
      () => true,
      () => false,
    );
    nothing = remains ? 0 : nothing + 1;
    if (nothing === looksWithNothing) return;
    await sleep(abortPause * attempt, undefined, abortSignal && { signal: abortSignal });
  }
}
