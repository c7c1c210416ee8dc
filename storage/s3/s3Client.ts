import { S3Client } from '@aws-sdk/client-s3';
import { connectionsOf, type Connections } from '../network/connections.js';
import { watchClock } from './clock.js';
import { sendMd5WhereWanted } from './contentMd5.js';
import { renewableCredentials, waitForRenewal } from './s3Credentials.js';
import { StoreUnsuitable, type StoreConfiguration, type StoreListener } from '../types.js';

/** The part of a store’s configuration that S3 has. */
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
 * @param listener is called while requests wait for credentials to be renewed; without one none waits.
 */
export function s3Client(configuration: S3Configuration, listener?: StoreListener): S3Client {
  const checksums = configuration.requestChecksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const { connections, failure } = openConnections();
  const requestHandler = {
    connectionTimeout: 5_000,
    // Without an answer's byte for so long, a connection counts as dead.
    requestTimeout: 60_000,
    throwOnRequestTimeout: true,
    httpAgent: connections.httpAgent,
    httpsAgent: connections.httpsAgent,
  };
  const client = new S3Client({
    region: configuration.region,
    ...(configuration.endpoint === null ? {} : { endpoint: configuration.endpoint }),
    credentials: renewableCredentials(connections.isPlain ? undefined : requestHandler),
    forcePathStyle: configuration.forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: 6,
    requestHandler,
    // With agents that are not its own, the SDK would say that it waits for permission to send a body, and not wait.
    ...(connections.isPlain ? {} : { expectContinueHeader: false }),
  });
  if (failure !== null) {
    client.middlewareStack.add(() => () => Promise.reject(failure), { step: 'initialize', priority: 'high' });
  }
  // It would copy what every request and answer holds, for a log that nobody keeps.
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add((next) => (args) => next(signedWithKnownHash(args)), { step: 'build' });
  watchClock(client);
  sendMd5WhereWanted(client);
  waitForRenewal(client, storeName(configuration), listener);
  return client;
}

/** A wrong environment variable is reported by the first request, like anything else that is wrong with the store. */
function openConnections(): { readonly connections: Connections; readonly failure: StoreUnsuitable | null } {
  try {
    return { connections: connectionsOf(), failure: null };
  } catch (cause) {
    if (!(cause instanceof StoreUnsuitable)) throw cause;
    return { connections: connectionsOf({}), failure: cause };
  }
}

/** Human-readable. */
export function storeName({ bucket, prefix }: S3Configuration): string {
  return `s3://${bucket}/${prefix}`;
}

/**
 * A body whose SHA-256 is given is signed with it: the SDK would compute it again, at a second a gigabyte. Every server of S3
 * compares a body with the hash that its request is signed with, so that another body than the promised one is refused (status
 * 400), also by those that do not compare checksums.
 */
function signedWithKnownHash<T extends { readonly request: unknown }>(args: T): T {
  const { headers } = args.request as { headers: Record<string, string> };
  const known = headers['x-amz-checksum-sha256'];
  if (known !== undefined) headers['x-amz-content-sha256'] ??= Buffer.from(known, 'base64').toString('hex');
  return args;
}
