import { existsSync } from 'node:fs';
import { temporalBinary, versitygwBinary } from '../setup/cache/cacheContents.mjs';
import { SetupError } from '../setup/errors.mjs';
import { pins } from '../setup/pins.mjs';
import { checkProgram } from '../setup/downloads/programs.mjs';
import { ServiceError } from './errors.js';

/** The `temporal` program that the set-up fetched, checked against its pin. @throws ServiceError it is not there, or another */
export async function temporalProgram(): Promise<string> {
  return checked(temporalBinary(), 'Temporal server', pins.temporal.programSha256[process.arch]);
}

/**
 * The `versitygw` program (S3 server) that the set-up built, as it was then.
 *
 * @throws ServiceError it is not there, or another
 */
export async function versitygwProgram(): Promise<string> {
  return checked(versitygwBinary(), 'S3 server');
}

async function checked(file: string, name: string, sha256?: string): Promise<string> {
  if (!existsSync(file)) throw new ServiceError(`The ${name} is not installed (${file}): run \`npm run setup\`.`);
  try {
    await checkProgram(file, sha256);
  } catch (error) {
    if (error instanceof SetupError) throw new ServiceError(`The ${name}: ${error.message} ${error.mend}`);
    throw error;
  }
  return file;
}
