import { S3Client } from '@aws-sdk/client-s3';
import { renewableCredentials, waitForRenewal } from './s3Credentials.js';
import type { StoreConfiguration, StoreListener } from './types.js';

export type S3Configuration = Extract<StoreConfiguration, { kind: 's3' }>;

/**
 * A client with the retries and timeouts of a program that runs for weeks. Credentials come from where the AWS SDK looks
 * for them: environment, shared files, a role.
 *
 * @param listener - is told while requests wait for credentials to be renewed; without one none waits.
 */
export function s3Client(configuration: S3Configuration, listener?: StoreListener): S3Client {
  const checksums = configuration.requestChecksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const client = new S3Client({
    region: configuration.region,
    ...(configuration.endpoint === null ? {} : { endpoint: configuration.endpoint }),
    credentials: renewableCredentials(),
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
  waitForRenewal(client, storeName(configuration), listener);
  return client;
}

/** Of people. */
export function storeName({ bucket, prefix }: S3Configuration): string {
  return `s3://${bucket}/${prefix}`;
}
