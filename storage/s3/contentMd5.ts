import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { nameOf, type ServiceFailure } from './errors/s3Failure.js';

interface HttpRequest {
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/**
 * Sends the MD5 of bodies to stores that want it. S3 itself takes the newer checksums, which the SDK sends, in its place;
 * MinIO before 2025, Ceph before Squid and others refuse to delete without it, and a bucket with Object Lock to write.
 * Deletions always have it; anything else once the store has asked for it, which is then remembered.
 */
export function sendMd5WhereWanted(client: S3Client): void {
  let isWanted = false;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const request = args.request as HttpRequest;
      const hadMd5 = isWanted || context['commandName'] === 'DeleteObjectsCommand';
      if (hadMd5) addMd5(request);
      try {
        return await next(args);
      } catch (cause) {
        if (hadMd5 || !asksForMd5(cause) || !addMd5(request)) throw cause;
        isWanted = true;
        return next(args);
      }
    },
    // After the body is there, before the headers are signed.
    { step: 'build', name: 'sendMd5WhereWanted', priority: 'low' },
  );
}

function asksForMd5(cause: unknown): boolean {
  const { message = '' } = cause as ServiceFailure;
  return nameOf(cause) === 'MissingContentMD5' || (nameOf(cause) === 'InvalidRequest' && /content-?md5/i.test(message));
}

/** @returns whether the request has one now; of a body that streams, or of none, there is none. */
function addMd5({ headers, body }: HttpRequest): boolean {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return false;
  headers['content-md5'] = createHash('md5').update(body).digest('base64');
  return true;
}
