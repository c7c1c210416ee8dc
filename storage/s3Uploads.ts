import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { nameOf } from './s3Failure.js';
import type { UnfinishedUpload } from './types.js';

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

/** @param upload - its key with the store's prefix. One that has ended is no error. */
export async function abandonUpload(
  client: S3Client,
  Bucket: string,
  { key, id }: UnfinishedUpload,
  abortSignal?: AbortSignal,
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: id }), { abortSignal });
  } catch (cause) {
    if (nameOf(cause) !== 'NoSuchUpload') throw cause;
  }
}
