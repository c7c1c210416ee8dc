import { after } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '../../../storage/s3/s3Client.js';
import { startTestS3, type TestS3 } from './s3.js';
import { S3Proxy } from './s3Proxy.js';

/** A real S3 server, a proxy before it, and a client that goes past the proxy: until the end of the test file. */
export async function startProxiedS3(): Promise<{ s3: TestS3; proxy: S3Proxy; direct: S3Client }> {
  const s3 = await startTestS3();
  const proxy = await S3Proxy.start(() => Number(new URL(s3.configuration.endpoint!).port));
  const direct = s3Client(s3.configuration);
  after(async () => {
    direct.destroy();
    await proxy.stop();
    await s3.stop();
  });
  return { s3, proxy, direct };
}
