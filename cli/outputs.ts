import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '../disk/makeFolder.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';

/**
 * A folder that a command writes into: made, and tried, before the work whose result it is to hold.
 *
 * @param option as it is typed, for messages.
 * @returns its absolute path.
 * @throws CommandError where nothing can be written there.
 */
export async function outputFolder(option: string, folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    await makeFolder(path);
    await access(path, constants.W_OK);
    return path;
  } catch (cause) {
    throw refused(option, folder, `cannot be written to (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

/** The same for a file, which is not written yet: what it lies in is made. */
export async function outputFile(option: string, file: string): Promise<string> {
  const path = resolve(file);
  if ((await stat(path).catch(() => null))?.isDirectory()) throw refused(option, file, 'is a folder');
  try {
    await makeFolder(dirname(path));
    await access(dirname(path), constants.W_OK);
    return path;
  } catch (cause) {
    throw refused(option, file, `cannot be written (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

function refused(option: string, given: string, why: string, cause?: unknown): CommandError {
  return new CommandError(`${option} ${given}: ${why}; expected a place that you may write.`, exitCodes.usage, {
    cause,
  });
}
