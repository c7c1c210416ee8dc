import { S3Client } from '@aws-sdk/client-s3';
import type { StoreConfiguration } from './types.js';

export type S3Configuration = Extract<StoreConfiguration, { kind: 's3' }>;

/**
 * A client with the retries and timeouts of a program that runs for weeks. Credentials come from where the AWS SDK looks
 * for them: environment, shared files, a role.
 */
export function s3Client(configuration: S3Configuration): S3Client {
  const checksums = configuration.requestChecksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return new S3Client({
    region: configuration.region,
    ...(configuration.endpoint === null ? {} : { endpoint: configuration.endpoint }),
    forcePathStyle: configuration.forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: 6,
    requestHandler: {
      connectionTimeout: 5_000,
      // Without an answer's byte for so long, a connection counts as dead.
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: 64, keepAlive: true },
      httpsAgent: { maxSockets: 64, keepAlive: true },
    },
  });
}
