import { S3Client } from '@aws-sdk/client-s3';
import { sendMd5WhereWanted } from './contentMd5.js';
import { renewableCredentials, waitForRenewal } from './s3Credentials.js';
import type { StoreConfiguration, StoreListener } from './types.js';

export type S3Configuration = Extract<StoreConfiguration, { kind: 's3' }>;

/** The configuration of an S3-compatible server that is reached by its address. */
export function s3At(
  server: Pick<S3Configuration, 'bucket' | 'region'> & { readonly endpoint: string },
): S3Configuration {
  const { bucket, endpoint, region } = server;
  return { kind: 's3', bucket, prefix: '', endpoint, region, forcePathStyle: true, requestChecksums: 'always' };
}

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
  // It would copy what every request and answer holds, for a log that nobody keeps.
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add((next) => (args) => next(signedWithKnownHash(args)), { step: 'build' });
  sendMd5WhereWanted(client);
  waitForRenewal(client, storeName(configuration), listener);
  return client;
}

/** Of people. */
export function storeName({ bucket, prefix }: S3Configuration): string {
  return `s3://${bucket}/${prefix}`;
}

/**
 * A body whose SHA-256 is told is signed with it: the SDK would compute it again, at a second a gigabyte. Every server of
 * S3 holds a body against the hash that its request is signed with, so that another body than the promised one is refused
 * (status 400), also by those that do not compare checksums.
 */
function signedWithKnownHash<T extends { readonly request: unknown }>(args: T): T {
  const { headers } = args.request as { headers: Record<string, string> };
  const known = headers['x-amz-checksum-sha256'];
  if (known !== undefined) headers['x-amz-content-sha256'] ??= Buffer.from(known, 'base64').toString('hex');
  return args;
}
