import { join } from 'node:path';
import { startObjectStore } from '../../../infra/services/index.js';
import { s3At, s3Client, type S3Configuration } from '../../../storage/s3/s3Client.js';
import { s3Store } from '../../../storage/s3/s3Store.js';
import type { ObjectStore } from '../../../storage/types.js';
import { temporaryFolder } from '../temporaryFolder.js';

export interface TestS3 {
  /** The bucket, or what lies below a prefix of it. */
  store(prefix?: string): ObjectStore;
  readonly configuration: S3Configuration;
  /** Where the server keeps an object's bytes: for tests of what a bad disk does. */
  fileOf(key: string): string;
  /** For processes that are to use the store. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the server: for tests of what a hung one does. */
  readonly processGroup: number;
  stop(): Promise<void>;
}

/** So that pages and parts are many with little data. S3 refuses parts of less than 5 MiB. */
const smallSizes = { keysAtOnce: 10, multipartThreshold: 6 * 2 ** 20, partSize: 5 * 2 ** 20 };

/** A real S3 server of the test's own, with an empty bucket. The environment of this process gets its credentials. */
export async function startTestS3(): Promise<TestS3> {
  const directory = temporaryFolder();
  const service = await startObjectStore({ directory, port: 0, bucket: 'tests' });
  const { bucket, credentials } = service;
  const environment = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  Object.assign(process.env, environment);
  const configuration = s3At(service);
  const client = s3Client(configuration);
  return {
    configuration,
    environment,
    processGroup: service.pid,
    store: (prefix = '') => s3Store({ ...configuration, prefix }, client, smallSizes),
    fileOf: (key) => join(directory, 'objects', bucket, key),
    async stop() {
      client.destroy();
      await service.stop();
    },
  };
}
