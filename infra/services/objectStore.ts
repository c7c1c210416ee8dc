import { createHash } from 'node:crypto';
import path from 'node:path';
import { CreateBucketCommand, HeadBucketCommand, NotFound, S3Client } from '@aws-sdk/client-s3';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { versitygwProgram } from './binaries.js';
import { type Credentials, loadOrCreateCredentials } from './credentials.js';
import { getLocal } from './httpRequest.js';
import { loopback } from './ports.js';
import { type RunningService, startService } from './service.js';

const region = 'us-east-1';
/**
 * Of the server of one folder: another's, which took the port between our look and its start, does not answer there. No
 * bucket's name begins with a dot.
 */
function healthPathOf(directory: string): string {
  return `/.healthy-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
}

export interface ObjectStoreOptions {
  /** Holds the objects, their metadata, the credentials, log and state. */
  readonly directory: string;
  /** The default is 9000, 0 means any. Another one is taken where it is in use. */
  readonly port?: number;
  /** Made where it is missing. */
  readonly bucket: string;
}

export interface ObjectStoreService extends RunningService {
  /** `http://127.0.0.1:9000`, to be used with path-style addresses. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: Credentials;
  /** JSON with `accessKeyId` and `secretAccessKey`, readable by its owner alone. */
  readonly credentialsFile: string;
}

/**
 * Starts an S3 server on this machine, or finds the one that runs in this directory, and makes the bucket. It ends with
 * this process at the latest, however that ends.
 *
 * @throws ServiceError
 */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStoreService> {
  const directory = path.resolve(options.directory);
  const [objects, metadata] = [path.join(directory, 'objects'), path.join(directory, 'metadata')];
  makeFolderSync(directory, { mode: 0o700 });
  for (const folder of [objects, metadata]) makeFolderSync(folder);
  const healthPath = healthPathOf(directory);
  const credentialsFile = path.join(directory, 'credentials.json');
  const credentials = loadOrCreateCredentials(credentialsFile);
  const program = await versitygwProgram();
  const service = await startService({
    name: 'object-store',
    directory,
    ports: [options.port ?? 9000],
    graceSeconds: 5,
    startSeconds: 30,
    command: ([port]) => ({
      program,
      arguments: [
        ...['--port', `${loopback}:${port}`, '--region', region, '--health', healthPath, '--quiet'],
        // Metadata in files of their own: not every file system has extended attributes.
        ...['posix', '--sidecar', metadata, objects],
      ],
      environment: {
        PATH: process.env['PATH'],
        TMPDIR: process.env['TMPDIR'],
        ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    }),
    checkHealth: async ([port = 0]) => {
      const { status } = await getLocal(port, healthPath);
      return status === 200 ? true : `HTTP ${status}`;
    },
  });
  const endpoint = `http://${loopback}:${service.ports[0]}`;
  try {
    await makeBucket(endpoint, options.bucket, credentials);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return { ...service, endpoint, region, bucket: options.bucket, credentials, credentialsFile };
}

async function makeBucket(endpoint: string, bucket: string, credentials: Credentials): Promise<void> {
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
}
