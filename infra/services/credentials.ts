import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { ServiceError } from './errors.js';

/** Of an S3 server. Never printed, logged or put on a command line. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The credentials in a file that only its owner can read; made up at random where there is none.
 *
 * @throws ServiceError the file is something else
 */
export function loadOrCreateCredentials(file: string): Credentials {
  try {
    const fresh: Credentials = {
      accessKeyId: `TEMPEH${randomBytes(7).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64url'),
    };
    writeFileSync(file, `${JSON.stringify(fresh)}\n`, { flag: 'wx', mode: 0o600 });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(file, 0o600);
  try {
    const { accessKeyId, secretAccessKey } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Credentials>;
    if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  } catch {
    // Said below.
  }
  throw new ServiceError(`${file} does not hold the S3 server's credentials: remove it, and a new one is made.`);
}
