import { z } from 'zod';

/** How a bucket encrypts what is written; left out, as the bucket is set to. */
export const encryptionSchema = z
  .strictObject({
    algorithm: z
      .enum(['AES256', 'aws:kms', 'aws:kms:dsse'])
      .describe('`AES256`: keys of S3; `aws:kms`: a key of KMS; `aws:kms:dsse`: two layers of it.'),
    kmsKey: z
      .string()
      .min(1)
      .optional()
      .describe('Id, ARN or alias of the KMS key; left out, the one of the bucket or account (`aws/s3`).'),
    bucketKey: z
      .boolean()
      .optional()
      .describe('One key of the bucket’s between KMS and its objects: fewer requests to KMS, which bills each.'),
  })
  .refine(
    ({ algorithm, kmsKey, bucketKey }) => algorithm !== 'AES256' || (kmsKey === undefined && bucketKey === undefined),
    'AES256 has no key of KMS: leave out kmsKey and bucketKey, or set algorithm to "aws:kms"',
  )
  .refine(
    ({ algorithm, bucketKey }) => algorithm !== 'aws:kms:dsse' || bucketKey !== true,
    'aws:kms:dsse knows no bucket keys: leave out bucketKey',
  );

/** As S3 allows them. */
const tagText = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, 'letters, digits, blanks and _ . : / = + - @');

export const tagsSchema = z
  .record(tagText(128).min(1), tagText(256))
  .refine((tags) => Object.keys(tags).length <= 10, 'at most 10 tags')
  .refine((tags) => !Object.keys(tags).some((key) => /^aws:/i.test(key)), 'names that begin with aws: are AWS’s own');

/** Classes whose objects have to be restored, for hours, before they can be read. */
const archives = ['GLACIER', 'DEEP_ARCHIVE', 'SNOW'];

export const storageClassSchema = z
  .string()
  .regex(/^[A-Z0-9_-]{1,64}$/, 'a class in capitals, such as STANDARD_IA')
  .refine((name) => !archives.includes(name), 'objects of this class cannot be read at once: a run could not go on');
