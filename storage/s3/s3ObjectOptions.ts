import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import type { StoreConfiguration } from '../types.js';

type S3Configuration = Extract<StoreConfiguration, { kind: 's3' }>;

/** What every object is written with. */
export type ObjectOptions = Pick<
  PutObjectCommandInput,
  'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled' | 'StorageClass' | 'Tagging'
>;

/** Encryption, storage class and tags as a configuration wants them; nothing where it says nothing: the bucket decides. */
export function objectOptions({ encryption, storageClass, tags }: S3Configuration): ObjectOptions {
  return {
    ...(encryption && { ServerSideEncryption: encryption.algorithm }),
    ...(encryption?.kmsKey !== undefined && { SSEKMSKeyId: encryption.kmsKey }),
    ...(encryption?.bucketKey !== undefined && { BucketKeyEnabled: encryption.bucketKey }),
    // The SDK's type lists the classes of AWS; compatible stores have their own.
    ...(storageClass !== undefined && { StorageClass: storageClass as NonNullable<ObjectOptions['StorageClass']> }),
    ...(tags && { Tagging: new URLSearchParams(tags).toString().replaceAll('+', '%20') }),
  };
}
