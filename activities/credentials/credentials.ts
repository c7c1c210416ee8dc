import { readFile } from 'node:fs/promises';
import { published } from '../../datasets/fetch/published.js';
import { printable } from '../../text/printable.js';
import { userFault } from '../failures.js';
import { hostTable, sameHost, type BoundCredentials } from './hostTable.js';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * What a host of data is asked with, if the worker's owner has bound credentials to it: those of `TEMPEH_HOSTS_FILE` (a
 * table of hosts), or TEMPEH_USERNAME and TEMPEH_PASSWORD, which are for `TEMPEH_HOST` (by default the published
 * host). Files are read anew each time: secrets are rotated.
 *
 * @param host `https://…/download.php`, from a workflow's input: whoever starts a workflow writes it.
 * @throws CredentialsRefused where none are bound to it.
 */
export async function credentialsFor(host: string, environment: NodeJS.ProcessEnv): Promise<Credentials> {
  const table = await hostTable(environment['TEMPEH_HOSTS_FILE']);
  const entry = table.find((bound) => sameHost(bound.host, host));
  if (entry !== undefined) return credentialsOf(entry);
  const bound = environment['TEMPEH_HOST'] || published.host;
  if (sameHost(bound, host)) return readCredentials(environment);
  const others = table.map((bound) => bound.host);
  throw userFault(
    'CredentialsRefused',
    `${printable(host)} (dataset.source.host, --host) is not a host that the owner of this data worker has given ` +
      `credentials for (those are for ${[bound, ...others].map((known) => printable(known)).join(', ')}). Nothing was ` +
      `sent to it. If it is right, set TEMPEH_HOST=${printable(host)} in the data worker's environment, with TEMPEH_USERNAME ` +
      'and TEMPEH_PASSWORD for it, or add it to the table that TEMPEH_HOSTS_FILE names, and resume the run; else correct ' +
      'dataset.source.host.',
  );
}

/**
 * TEMPEH_USERNAME and TEMPEH_PASSWORD, or the content of the files that TEMPEH_USERNAME_FILE and TEMPEH_PASSWORD_FILE name.
 *
 * @throws CredentialsRefused if there are none.
 */
export async function readCredentials(environment: NodeJS.ProcessEnv): Promise<Credentials> {
  return {
    username: await readSecret('TEMPEH_USERNAME', environment),
    password: await readSecret('TEMPEH_PASSWORD', environment),
  };
}

async function credentialsOf(entry: BoundCredentials): Promise<Credentials> {
  const of = async (name: 'username' | 'password', value: string | undefined, file: string | undefined) => {
    if (file !== undefined) return secretOf(file, `${name}File of ${entry.host}`, missingInTable);
    if (value !== undefined && value !== '') return value;
    throw missingInTable(`The table in TEMPEH_HOSTS_FILE has no ${name} for ${entry.host}`);
  };
  return {
    username: await of('username', entry.username, entry.usernameFile),
    password: await of('password', entry.password, entry.passwordFile),
  };
}

function missingInTable(why: string): Error {
  return userFault('CredentialsRefused', `${why}. Correct the table that TEMPEH_HOSTS_FILE names, and resume the run.`);
}

async function readSecret(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const file = environment[`${name}_FILE`];
  const missing = (why: string) =>
    userFault(
      'CredentialsRefused',
      `${why}. Give the data worker's environment ${name}, or ${name}_FILE with the path of a file, and resume the run.`,
    );
  if (file !== undefined && file !== '') return secretOf(file, `${name}_FILE`, missing);
  const value = environment[name];
  if (value === undefined || value === '') throw missing(`The data worker has no ${name}`);
  return value;
}

async function secretOf(file: string, name: string, missing: (why: string) => Error): Promise<string> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw missing(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') throw missing(`The file that ${name} names is empty`);
  return value;
}
