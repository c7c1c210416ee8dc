import { spawn } from 'node:child_process';
import { SetupError, StoppedError } from './errors.mjs';

const keptCharacters = 20_000;

/** Milliseconds between asking a program to stop and ending it. */
const patience = 2_000;

/**
 * Runs a program to its end, without a shell.
 *
 * @param {string} program
 * @param {readonly string[]} commandArguments
 * @param {object} options
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env] added to this process's environment
 * @param {AbortSignal} [options.signal] stops the program
 * @param {string} options.mend what the user should do when it fails or is not there
 * @returns {Promise<string>} what it printed to its standard output
 * @throws {SetupError} it is not installed, or exits with another code than 0
 * @throws {StoppedError} the signal fired
 */
export async function runCommand(program, commandArguments, { cwd, env, signal, mend }) {
  if (signal?.aborted) throw new StoppedError();
  const child = spawn(program, commandArguments, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let everything = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    output = (output + text).slice(-keptCharacters);
    everything = (everything + text).slice(-keptCharacters);
  });
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    everything = (everything + text).slice(-keptCharacters);
  });
  /** @type {NodeJS.Timeout | undefined} */
  let killer;
  /** @param {NodeJS.Signals} name */
  const send = (name) => {
    // Without a process (the program is not there) Node would signal our own process group.
    if (child.pid !== undefined) child.kill(name);
  };
  const stop = () => {
    send('SIGTERM');
    // npm finishes what it began, which may take half a minute; everything here bears being cut off.
    killer = setTimeout(() => send('SIGKILL'), patience);
  };
  signal?.addEventListener('abort', stop);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, killedBy) => resolve(killedBy ?? exitCode));
    });
    if (signal?.aborted) throw new StoppedError();
    if (code !== 0) {
      throw new SetupError(`\`${program} ${commandArguments[0] ?? ''}\` ended with ${code}.`, mend, everything.trim());
    }
    return output;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) {
      throw new SetupError(`\`${program}\` cannot be run (${error.code}).`, mend);
    }
    throw error;
  } finally {
    clearTimeout(killer);
    signal?.removeEventListener('abort', stop);
  }
}
