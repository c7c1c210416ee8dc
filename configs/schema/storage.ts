import { z } from 'zod';
import { addressSchema } from './address.js';
import { encryptionSchema, storageClassSchema, tagsSchema } from './storageOptions.js';

/** Where objects live. Credentials are never here: the worker's environment or files have them. */
export const storageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('s3'),
    bucket: z.string().min(3).describe('The bucket’s name.'),
    prefix: z
      .string()
      .regex(/^$|\/$/, 'empty, or ending in /')
      .default('')
      .describe('Stands before every key; empty, or ending in a slash.'),
    endpoint: addressSchema
      .nullable()
      .default(null)
      .describe(
        'Address of the store; null: what the worker’s environment says (`AWS_ENDPOINT_URL_S3`), or AWS itself. The environment also names proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; this machine is never asked through one) and, by `AWS_CA_BUNDLE`, a file with the certificates of authorities.',
      ),
    region: z.string().default('us-east-1').describe('The bucket’s region, which requests are signed for.'),
    forcePathStyle: z
      .boolean()
      .default(false)
      .describe('Name the bucket in the path instead of the host’s name, as most S3-compatible servers want it.'),
    requestChecksums: z
      .enum(['always', 'when-required'])
      .default('always')
      .describe('When requests carry a checksum: some S3-compatible stores refuse the SDK’s default ones.'),
    conditionalPuts: z
      .enum(['required', 'emulated'])
      .optional()
      .describe(
        'How checkpoints are kept from being overwritten by a worker that was given up. `required` (the default): a store that does not heed If-Match and If-None-Match is refused. `emulated`: such a store is accepted, and the condition is looked up before each put; of two workers that write in the same milliseconds, one can then replace the other’s checkpoint.',
      ),
    encryption: encryptionSchema
      .optional()
      .describe('How objects are encrypted by the store; left out, as the bucket is set to.'),
    tags: tagsSchema
      .optional()
      .describe('Tags that every object is written with, for bills and rules of the bucket: ten at most.'),
    storageClass: storageClassSchema
      .optional()
      .describe(
        'Class that every object is written with, such as `STANDARD_IA` or `INTELLIGENT_TIERING`; left out, the usual one. Those that have to be restored before they are read are refused.',
      ),
  }),
  z.strictObject({
    kind: z.literal('directory'),
    path: z.string().describe('A folder that all workers see under this path.'),
  }),
]);

/** Which object store a run uses, and how. */
export type StorageConfiguration = z.infer<typeof storageSchema>;
