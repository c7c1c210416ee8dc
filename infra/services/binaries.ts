import { existsSync } from 'node:fs';
import { temporalBinary, versitygwBinary } from '../setup/cacheContents.mjs';
import { ServiceError } from './errors.js';

/** The `temporal` program that the set-up fetched. @throws ServiceError it is not there */
export function temporalProgram(): string {
  return present(temporalBinary(), 'Temporal server');
}

/** The `versitygw` program (S3 server) that the set-up built. @throws ServiceError it is not there */
export function versitygwProgram(): string {
  return present(versitygwBinary(), 'S3 server');
}

function present(file: string, name: string): string {
  if (!existsSync(file)) throw new ServiceError(`The ${name} is not installed (${file}): run \`npm run setup\`.`);
  return file;
}
