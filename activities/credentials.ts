import { readFile } from 'node:fs/promises';
import { userFault } from './failures.js';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * What the host of the published data is asked with: TEMPEH_USERNAME and TEMPEH_PASSWORD, or files that
 * TEMPEH_USERNAME_FILE and TEMPEH_PASSWORD_FILE name (read anew each time: secrets are rotated).
 *
 * @throws CredentialsRefused if there are none.
 */
export async function readCredentials(environment: NodeJS.ProcessEnv): Promise<Credentials> {
  return {
    username: await readSecret('TEMPEH_USERNAME', environment),
    password: await readSecret('TEMPEH_PASSWORD', environment),
  };
}

async function readSecret(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const file = environment[`${name}_FILE`];
  const missing = (why: string) =>
    userFault(
      'CredentialsRefused',
      `${why}. Give the data worker's environment ${name}, or ${name}_FILE with the path of a file, and resume the run.`,
    );
  if (file === undefined || file === '') {
    const value = environment[name];
    if (value === undefined || value === '') throw missing(`The data worker has no ${name}`);
    return value;
  }
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw missing(`${name}_FILE cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') throw missing(`The file that ${name}_FILE names is empty`);
  return value;
}
