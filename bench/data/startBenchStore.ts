import { startObjectStore } from '../../infra/services/index.js';
import { s3At, type S3Configuration } from '../../storage/s3/s3Client.js';

export interface BenchStore {
  readonly storage: S3Configuration;
  readonly stop: () => Promise<void>;
}

/** An S3 server of this process's own, with an empty bucket; the environment gets its credentials. */
export async function startBenchStore(directory: string): Promise<BenchStore> {
  const service = await startObjectStore({ directory, port: 0, bucket: 'bench' });
  const { accessKeyId, secretAccessKey } = service.credentials;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  return {
    storage: s3At(service),
    stop: () => service.stop(),
  };
}
