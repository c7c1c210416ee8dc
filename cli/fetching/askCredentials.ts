import { createInterface } from 'node:readline/promises';
import { credentialsFor, readCredentials } from '../../activities/credentials/credentials.js';
import { CommandError, Interrupted } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

export interface Asked {
  readonly username: string;
  readonly password: string;
}

const variables = ['TEMPEH_USERNAME', 'TEMPEH_USERNAME_FILE', 'TEMPEH_PASSWORD', 'TEMPEH_PASSWORD_FILE'];

/**
 * From the environment or files; where it names none, a person at the terminal is asked. Whoever gives `--host` decides
 * where they go, unless the environment says whom they are for.
 *
 * @throws CommandError; CredentialsRefused if they are for another host.
 */
export async function findCredentials(host: string): Promise<Asked> {
  if (process.env['TEMPEH_HOST'] || process.env['TEMPEH_HOSTS_FILE']) return credentialsFor(host, process.env);
  if (variables.some((name) => process.env[name])) return readCredentials(process.env);
  if (process.stdin.isTTY) return askCredentials();
  throw new CommandError(
    'The host of the data asks for the user name and password of your registration (https://tempeh.is.tue.mpg.de/): ' +
      'set TEMPEH_USERNAME and TEMPEH_PASSWORD, or TEMPEH_USERNAME_FILE and TEMPEH_PASSWORD_FILE with paths of files. ' +
      'On a terminal they are asked for.',
    exitCodes.usage,
  );
}

/** Asks at the terminal; the password is not shown. @throws Interrupted on Ctrl-C */
async function askCredentials(): Promise<Asked> {
  if (!process.stdin.isTTY) {
    throw new CommandError('There is no terminal to ask at for user name and password.', exitCodes.usage);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = new AbortController();
  lines.once('SIGINT', () => interrupted.abort(new Interrupted()));
  let username: string;
  try {
    username = (await lines.question('User name of your registration: ', { signal: interrupted.signal })).trim();
  } catch (error) {
    interrupted.signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
  return { username, password: await readHidden('Password (not shown): ') };
}

/** Reads a line from the terminal, which shows nothing of it. */
async function readHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question: an answer that comes at once must not be shown either.
  stdin.setRawMode(true);
  stderr.write(question);
  stdin.setEncoding('utf8');
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = '';
      const onData = (text: string): void => {
        for (const character of text) {
          if (character === '\r' || character === '\n' || character === '\u0004') return end(() => resolve(typed));
          if (character === '\u0003') return end(() => reject(new Interrupted()));
          if (character === '\u007f' || character === '\b') typed = [...typed].slice(0, -1).join('');
          else if (character >= ' ') typed += character;
        }
      };
      const end = (then: () => void): void => {
        stdin.off('data', onData);
        then();
      };
      stdin.on('data', onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
