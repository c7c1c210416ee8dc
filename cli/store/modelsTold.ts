import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

/** Of models and folders that were named: a command line, not the program or its data, is to be changed for them. */
const ofCommandLine = [
  'FoldersUnsuitable',
  'ImportRefused',
  'PublishedCheckpointMismatch',
  'CheckpointNotFound',
  'StageNotFinished',
];

/** Gives errors about models that a command line names the exit code of a wrong command line. @throws CommandError */
export async function modelsTold<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error) || !ofCommandLine.includes(error.name)) throw error;
    throw new CommandError(error.message, exitCodes.usage, { cause: error.cause });
  }
}
