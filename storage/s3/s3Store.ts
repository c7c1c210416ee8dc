import { hash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { checkKey } from '../objectKey.js';
import { conditionsUnsupported } from '../wrappers/conditionalPuts.js';
import { s3Client, storeName, type S3Configuration } from './s3Client.js';
import { isConflict, storeError } from './errors/s3Errors.js';
import { isBare, nameOf, statusOf, wasRetried } from './errors/s3Failure.js';
import { objectOptions } from './s3ObjectOptions.js';
import { describeObject, downloadObject, etagOf, getObject } from './s3Reading.js';
import { putInParts } from './s3Multipart.js';
import { abandonUpload, listUploads } from './s3Uploads.js';
import {
  ChecksumMismatch,
  ObjectNotFound,
  PreconditionFailed,
  type ByteRange,
  type ObjectInformation,
  type ObjectStore,
  type PutOptions,
} from '../types.js';

/** What requests are cut into; what S3 allows, unless a test says less. */
export interface S3Sizes {
  /** Keys in a page of a list, and of a deletion. */
  readonly keysAtOnce: number;
  /** Bytes from which on an object is sent in parts, and of a part. */
  readonly multipartThreshold: number;
  readonly partSize: number;
}

const usualSizes: S3Sizes = { keysAtOnce: 1000, multipartThreshold: 64 * 2 ** 20, partSize: 16 * 2 ** 20 };
const conflictAttempts = 5;

/** A bucket, or what lies below a prefix of one, on S3 or a compatible store that knows conditional puts. */
export function s3Store(
  configuration: S3Configuration,
  client: S3Client = s3Client(configuration),
  { keysAtOnce, multipartThreshold, partSize }: S3Sizes = usualSizes,
): ObjectStore {
  const { bucket: Bucket, prefix } = configuration;
  const store = storeName(configuration);
  const writtenWith = objectOptions(configuration);
  const located = (key: string): { Bucket: string; Key: string } => ({ Bucket, Key: prefix + checkKey(key) });

  const head = async (key: string): Promise<ObjectInformation | null> => {
    try {
      return describeObject(key, await client.send(new HeadObjectCommand(located(key))));
    } catch (cause) {
      if (isBare(cause)) return askedWhy(key);
      throw storeError(cause, 'read', key, store);
    }
  };

  /**
   * The answer to a HEAD has no body: a 404 does not say whether the object or the bucket is missing, or the access key
   * unknown; a 403, whether it is the clock. The answer to a GET does. @returns what came to be there in between
   */
  const askedWhy = async (key: string): Promise<ObjectInformation | null> => {
    try {
      return (await getObject(client, { ...located(key), Range: 'bytes=0-0' }, key, undefined, false)).information;
    } catch (cause) {
      // It is there by now, and empty.
      if (statusOf(cause) === 416) return (await getObject(client, located(key), key, undefined)).information;
      const error = storeError(cause, 'read', key, store);
      if (error instanceof ObjectNotFound) return null;
      throw error;
    }
  };

  const putWhole = async (key: string, body: Uint8Array, options: PutOptions): Promise<string> => {
    const command = new PutObjectCommand({
      ...located(key),
      Body: body,
      ContentLength: body.length,
      ContentType: options.contentType,
      ...writtenWith,
      ...(options.sha256 === undefined
        ? {}
        : { ChecksumSHA256: Buffer.from(options.sha256, 'hex').toString('base64') }),
      IfMatch: options.ifMatch,
      IfNoneMatch: options.ifAbsent ? '*' : undefined,
    });
    const { ETag } = await client.send(command, { abortSignal: options.signal });
    return etagOf(ETag, key);
  };

  /** A put whose answer was lost is sent again by the SDK, and then fails its own condition: look whether it was ours. */
  const holds = async (key: string, body: Uint8Array): Promise<ObjectInformation | null> => {
    const { Body, ...found } = await client.send(new GetObjectCommand(located(key)));
    const bytes = await Body?.transformToByteArray();
    return bytes && Buffer.compare(bytes, body) === 0 ? describeObject(key, found) : null;
  };

  const put = async (
    key: string,
    body: Uint8Array | { readonly path: string },
    options: PutOptions,
  ): Promise<ObjectInformation> => {
    const size = body instanceof Uint8Array ? body.length : (await stat(body.path)).size;
    const answer = (etag: string): ObjectInformation => ({ key, size, etag, modified: new Date() });
    if (size >= multipartThreshold) {
      const target = { client, bucket: Bucket, objectKey: located(key).Key, writtenWith, key, store };
      return answer(await putInParts(target, body, size, partSize, options));
    }
    const content = body instanceof Uint8Array ? body : await readFile(body.path);
    for (let attempt = 1; ; attempt++) {
      try {
        return answer(await putWhole(key, content, options));
      } catch (cause) {
        if (options.sha256 !== undefined && statusOf(cause) === 400) {
          const found = hash('sha256', content);
          if (found !== options.sha256) throw new ChecksumMismatch(key, store, options.sha256, found);
        }
        if (isConflict(cause) && attempt < conflictAttempts) {
          await sleep(50 * 2 ** attempt * Math.random());
          continue;
        }
        if (statusOf(cause) === 412 && wasRetried(cause)) {
          const ours = await holds(key, content);
          if (ours) return ours;
        }
        throw cause;
      }
    }
  };

  return {
    description: store,

    async get(key, options = {}) {
      const { range, verifiedByCaller = false, signal } = options;
      if (range && range.end <= range.start) {
        const information = await head(key);
        if (!information) throw new ObjectNotFound(key, store);
        return { body: new Uint8Array(0), information };
      }
      try {
        return await getObject(client, { ...located(key), Range: rangeHeader(range) }, key, signal, !verifiedByCaller);
      } catch (cause) {
        const information = range && statusOf(cause) === 416 ? await head(key) : null;
        if (information) return { body: new Uint8Array(0), information };
        throw storeError(cause, 'read', key, store);
      }
    },

    async download(key, path, options = {}) {
      try {
        return await downloadObject(client, located(key), key, path, options.signal);
      } catch (cause) {
        throw storeError(cause, 'read', key, store);
      }
    },

    async put(key, body, options = {}) {
      try {
        return await put(key, body, options);
      } catch (cause) {
        // A condition on an object that is gone is answered with 404.
        const isGone = nameOf(cause) === 'NoSuchKey' || nameOf(cause) === 'NotFound';
        if (options.ifMatch !== undefined && isGone) throw new PreconditionFailed(key, store);
        const isConditional = options.ifMatch !== undefined || options.ifAbsent === true;
        if (isConditional && statusOf(cause) === 501) throw conditionsUnsupported(store, 'refuses', cause);
        throw storeError(cause, 'write', key, store);
      }
    },

    head,

    async *list(below) {
      let ContinuationToken: string | undefined;
      do {
        let page;
        try {
          page = await client.send(
            new ListObjectsV2Command({ Bucket, Prefix: prefix + below, ContinuationToken, MaxKeys: keysAtOnce }),
          );
        } catch (cause) {
          throw storeError(cause, 'list', below, store);
        }
        for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
          if (Key === undefined || Key.endsWith('/')) continue;
          yield describeObject(Key.slice(prefix.length), { ContentLength: Size, ETag, LastModified });
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },

    async unfinishedUploads(below) {
      try {
        const uploads = await listUploads(client, Bucket, prefix + below);
        return uploads.map(({ key, id }) => ({ key: key.slice(prefix.length), id }));
      } catch (cause) {
        throw storeError(cause, 'list the unfinished uploads of', below, store);
      }
    },

    async abandonUploads(uploads) {
      for (const { key, id } of uploads) {
        try {
          await abandonUpload(client, Bucket, { key: located(key).Key, id });
        } catch (cause) {
          throw storeError(cause, 'abandon an upload of', key, store);
        }
      }
    },

    async delete(keys) {
      for (let first = 0; first < keys.length; first += keysAtOnce) {
        const some = keys.slice(first, first + keysAtOnce);
        try {
          const { Errors } = await client.send(
            new DeleteObjectsCommand({
              Bucket,
              Delete: { Quiet: true, Objects: some.map((key) => ({ Key: located(key).Key })) },
            }),
          );
          for (const { Key, Code = 'Error', Message } of Errors ?? []) {
            if (Code === 'NoSuchKey') continue;
            const failure = Object.assign(new Error(Message), { name: Code, Code });
            throw storeError(failure, 'delete', Key?.slice(prefix.length) ?? some[0]!, store);
          }
        } catch (cause) {
          throw storeError(cause, 'delete', some[0]!, store);
        }
      }
    },
  };
}

function rangeHeader(range: ByteRange | undefined): string | undefined {
  return range && `bytes=${range.start}-${range.end - 1}`;
}
